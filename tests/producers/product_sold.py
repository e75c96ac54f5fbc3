#!/usr/bin/env python3
"""A shop's own producer, as a shop would write it: plain kafka-python, json.dumps, floats for money.

It sends COUNT orders to a topic, keyed by order id, and prints the true totals per day, category and currency,
added up with decimal.Decimal from the very text that was sent. About one order in a hundred is sent twice, as by a
client that retries. Days are cut in UTC: most timestamps name no zone and count as they stand.

    product_sold.py --bootstrap 127.0.0.1:9092 --topic product_sold --count 10000 --seed 7
"""

import argparse
import json
import random
import uuid
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal

from kafka import KafkaProducer

CATALOGUE = {
    "Électronique": ["Téléphone", "Écouteurs sans fil", "Ordinateur portable"],
    "Café & thé": ["Café moulu « Touba »", "Thé vert", 'Moulin "Senseo"'],
    "Fashion": ["Boubou", "T-shirt", "Sneakers"],
    "家电": ["电饭煲", "吸尘器"],
    "Books": ["C:\\Users\\me", "Emoji \U0001f600 for beginners"],
}
BRANDS = ["Nestlé", "Sony", "Adidas", "Oral-B"]
CURRENCIES = ["FCFA", "USD", "EUR"]
PAYMENT_METHODS = ["CREDIT_CARD", "CASH_ON_DELIVERY", "ORANGE_MONEY", "WAVE"]


def make_order(rng):
    """One order, with the usual float arithmetic and its noise: 3 * 123.2 is 369.59999999999997 or so."""
    category = rng.choice(list(CATALOGUE))
    currency = rng.choice(CURRENCIES)
    quantity = rng.randint(1, 10)
    price = rng.randint(500, 250_000) if currency == "FCFA" else round(rng.uniform(1, 1000), 2)
    date = datetime(2023, 10, 1) + timedelta(seconds=rng.uniform(0, 90 * 86400))
    if rng.random() < 0.05:
        # A few clients do name their zone.
        date = date.replace(tzinfo=timezone(timedelta(hours=rng.choice([-5, 0, 2]))))
    order = {
        "orderId": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "productId": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "productName": rng.choice(CATALOGUE[category]),
        "productCategory": category,
        "productPrice": price,
        "productQuantity": quantity,
        "productBrand": rng.choice(BRANDS),
        "currency": currency,
        "customerId": f"client_{rng.randint(1, 500)}",
        "orderDate": date.isoformat(),
        "paymentMethod": rng.choice(PAYMENT_METHODS),
        "totalAmount": price * quantity,
    }
    if rng.random() < 0.02:
        # Then it is the price times the quantity.
        del order["totalAmount"]
    return order


def amount_of(order):
    """What the order counts as: the decimals that were sent, to six places, half to even."""
    if "totalAmount" in order:
        amount = Decimal(json.dumps(order["totalAmount"]))
    else:
        amount = Decimal(json.dumps(order["productPrice"])) * order["productQuantity"]
    return amount.quantize(Decimal("0.000001"), rounding=ROUND_HALF_EVEN)


def day_of(order):
    """The business day of a shop in UTC."""
    date = datetime.fromisoformat(order["orderDate"])
    return (date.astimezone(timezone.utc) if date.tzinfo else date).date().isoformat()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--topic", default="product_sold")
    parser.add_argument("--count", type=int, required=True, help="orders to send")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    rng = random.Random(options.seed)
    producer = KafkaProducer(
        bootstrap_servers=options.bootstrap,
        key_serializer=str.encode,
        value_serializer=lambda order: json.dumps(order).encode("ascii"),
    )
    totals = defaultdict(lambda: [Decimal(0), 0, 0])
    sent = 0
    for _ in range(options.count):
        order = make_order(rng)
        for _ in range(2 if rng.random() < 0.01 else 1):
            producer.send(options.topic, key=order["orderId"], value=order)
            sent += 1
        total = totals[day_of(order), order["productCategory"], order["currency"]]
        total[0] += amount_of(order)
        total[1] += 1
        total[2] += order["productQuantity"]
    producer.flush()
    producer.close()

    rows = [
        {
            "order_date": day,
            "category": category,
            "currency": currency,
            "total_sales": f"{amount:.6f}",
            "orders": orders,
            "units": units,
        }
        for (day, category, currency), (amount, orders, units) in sorted(totals.items())
    ]
    print(json.dumps({"sent": sent, "orders": options.count, "totals": rows}))


if __name__ == "__main__":
    main()
