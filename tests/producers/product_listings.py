#!/usr/bin/env python3
"""The plainest producer of a catalogue: kafka-python, no key, json.dumps.

It lists products 1000 to 1100 again and again, each time in another category and at another price, until COUNT
listings are sent, and prints the catalogue as it stands in the end. Some products are listed without a category in
the end, and a few never.

    product_listings.py --bootstrap 127.0.0.1:9092 --topic product_listings --count 500 --seed 7
"""

import argparse
import json
import random
import time
from datetime import datetime, timedelta

from kafka import KafkaProducer

CATEGORIES = ["Électronique", "Café & thé", "Fashion", "Books", "家电"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--topic", default="product_listings")
    parser.add_argument("--count", type=int, required=True, help="listings to send")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    rng = random.Random(options.seed)
    producer = KafkaProducer(
        bootstrap_servers=options.bootstrap, value_serializer=lambda listing: json.dumps(listing).encode("ascii")
    )
    products = [product for product in range(1000, 1101) if rng.random() < 0.95]
    catalogue = {}
    sent = 0
    while sent < options.count:
        # A product's listings are told apart by the log's time, which has milliseconds.
        producer.flush()
        time.sleep(0.005)
        for product in rng.sample(products, len(products)):
            listing = {
                "product_id": product,
                "name": f"Product {product} « {rng.randint(1, 9)} »",
                "category": rng.choice(CATEGORIES),
                "price": round(rng.uniform(1, 500), 2),
                "timestamp": (datetime(1970, 1, 1) + timedelta(seconds=rng.uniform(0, 57 * 365 * 86400))).isoformat(),
            }
            if rng.random() < 0.1:
                del listing["category"]
            producer.send(options.topic, listing)
            catalogue[product] = listing
            sent += 1
    producer.flush()
    rows = [
        {"product": str(product), "name": row["name"], "category": row.get("category"), "price": json.dumps(row["price"])}
        for product, row in sorted(catalogue.items())
    ]
    print(json.dumps({"sent": sent, "catalogue": rows}))


if __name__ == "__main__":
    main()
