#!/usr/bin/env python3
"""The plainest producer of sales: kafka-python, no key, json.dumps, floats for money.

It sends COUNT transactions of products 1000 to 1100 with timestamps anywhere from 1970 on, and prints what each
product sold on each day, added up with decimal.Decimal from the very text that was sent.

    transactions.py --bootstrap 127.0.0.1:9092 --topic transactions --count 10000 --seed 7
"""

import argparse
import json
import random
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal

from kafka import KafkaProducer


def make_transaction(rng, number):
    """One sale; amounts carry whatever noise float arithmetic leaves in them."""
    date = datetime(1970, 1, 1) + timedelta(seconds=rng.uniform(0, 57 * 365 * 86400))
    if rng.random() < 0.3:
        date = date.replace(microsecond=0)
    if rng.random() < 0.2:
        date = date.replace(tzinfo=timezone(timedelta(hours=rng.choice([-8, 0, 1, 5.5]))))
    amount = rng.choice([rng.uniform(1, 500), round(rng.uniform(1, 500), 2) * rng.randint(1, 5), rng.randint(1, 900)])
    return {
        "transaction_id": number,
        "user_id": rng.randint(1, 500),
        "product_id": rng.randint(1000, 1100),
        "amount": amount,
        "timestamp": date.isoformat(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--topic", default="transactions")
    parser.add_argument("--count", type=int, required=True, help="transactions to send")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    rng = random.Random(options.seed)
    producer = KafkaProducer(
        bootstrap_servers=options.bootstrap, value_serializer=lambda sale: json.dumps(sale).encode("ascii")
    )
    sold = defaultdict(lambda: [Decimal(0), 0])
    for number in range(options.count):
        sale = make_transaction(rng, number)
        producer.send(options.topic, sale)
        date = datetime.fromisoformat(sale["timestamp"])
        day = (date.astimezone(timezone.utc) if date.tzinfo else date).date().isoformat()
        amount = Decimal(json.dumps(sale["amount"])).quantize(Decimal("0.000001"), rounding=ROUND_HALF_EVEN)
        total = sold[sale["product_id"], day]
        total[0] += amount
        total[1] += 1
    producer.flush()
    rows = [
        {"product": str(product), "day": day, "total_sales": str(total), "orders": orders}
        for (product, day), (total, orders) in sorted(sold.items())
    ]
    print(json.dumps({"sent": options.count, "sold": rows}))


if __name__ == "__main__":
    main()
