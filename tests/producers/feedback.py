#!/usr/bin/env python3
"""The plainest producer of ratings: kafka-python, no key, json.dumps.

It sends COUNT ratings of products 1000 to 1100 with timestamps anywhere from 1970 on, and prints how many of each
number of stars each product has.

    feedback.py --bootstrap 127.0.0.1:9092 --topic feedback --count 2000 --seed 7
"""

import argparse
import json
import random
from collections import defaultdict
from datetime import datetime, timedelta

from kafka import KafkaProducer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--topic", default="feedback")
    parser.add_argument("--count", type=int, required=True, help="ratings to send")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    rng = random.Random(options.seed)
    producer = KafkaProducer(
        bootstrap_servers=options.bootstrap, value_serializer=lambda rating: json.dumps(rating).encode("ascii")
    )
    stars = defaultdict(lambda: [0] * 5)
    for number in range(options.count):
        rating = {
            "feedback_id": f"f-{number}",
            "product_id": rng.randint(1000, 1100),
            "user_id": rng.randint(1, 500),
            "rating": rng.randint(1, 5),
            "comment": rng.choice(["", "Très bien !", "pas mal", "质量很好", 'said "no"']),
            "timestamp": (datetime(1970, 1, 1) + timedelta(seconds=rng.uniform(0, 57 * 365 * 86400))).isoformat(),
        }
        producer.send(options.topic, rating)
        stars[rating["product_id"]][rating["rating"] - 1] += 1
    producer.flush()
    rows = [{"product": str(product), "stars": counts} for product, counts in sorted(stars.items())]
    print(json.dumps({"sent": options.count, "rated": rows}))


if __name__ == "__main__":
    main()
