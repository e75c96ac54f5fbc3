//! Products, best sellers, ratings and minutes in a store, for readers to read.

use serde_json::{Value, json};
use takings::store::reader::views::VIEWS;

use super::stores::Fresh;

/// What the views of products, ratings and minutes hold after an epoch: written behind the job's back, as its
/// contract says.
pub struct Products<'a> {
    store: &'a Fresh,
}

/// Every view, and from when on it counts.
const KEPT: &str = "
    INSERT INTO views (view, complete_from, since_epoch) VALUES
        ('sales_per_category', NULL, 0), ('sales_per_day', NULL, 0), ('sales_per_month', NULL, 0),
        ('sales_per_payment_method', NULL, 0), ('sales_facts', NULL, 0), ('sales_per_product', NULL, 0),
        ('top_products', NULL, 0), ('products', NULL, 0), ('ratings_per_product', '2026-11-01', 1), ('orders_per_minute', NULL, 0)";

impl<'a> Products<'a> {
    /// In a store at epoch 1 of a [`Shop`], with two products, sold on two days.
    pub fn in_epoch_1(store: &'a Fresh) -> Products<'a> {
        let products = Products { store };
        products.write(&format!("DELETE FROM views; {KEPT}"));
        products.switch_off(&[]);
        for (day, product, sales) in [("2026-11-22", "1001", 5), ("2026-11-22", "café", 7), ("2026-11-23", "1001", 1)]
        {
            products.insert("sales_per_product", "order_date, product, currency", &[day, product, "EUR"], sales, 1);
            products
                .write(&format!("INSERT INTO changed_days VALUES ('{day}', 1) ON CONFLICT (order_date) DO NOTHING"));
        }
        for (period, rank, product, sales) in [
            ("all", 1, "café", 7),
            ("all", 2, "1001", 6),
            ("2026-11", 1, "café", 7),
            ("2026-11", 2, "1001", 6),
            ("2026-11-22", 1, "café", 7),
            ("2026-11-22", 2, "1001", 5),
            ("2026-11-23", 1, "1001", 1),
        ] {
            products.rank(period, rank, product, sales, 1);
        }
        products.write(
            "INSERT INTO products VALUES ('1001', 'Teapot', 'Kitchen', '12.500000', 1), ('café', NULL, NULL, NULL, 1)",
        );
        products.write(
            "INSERT INTO ratings_per_product VALUES
                ('1001', 3, '3.666667', 0, 1, 0, 1, 1, 1), ('1002', 3, '1.000000', 3, 0, 0, 0, 0, 1),
                ('café', 1, '5.000000', 0, 0, 0, 0, 1, 1)",
        );
        for (minute, sales) in [("2026-11-22T23:59", 2), ("2026-11-23T00:00", 3), ("2026-11-23T00:02", 1)] {
            products.minute(minute, sales, 1);
        }
        products
    }

    /// Runs a statement.
    pub fn write(&self, sql: &str) {
        self.store.execute(sql);
    }

    /// A place among the best sellers, as it is from this epoch on.
    pub fn rank(&self, period: &str, rank: u32, product: &str, sales: u32, epoch: u64) {
        self.write(&format!(
            "DELETE FROM top_products WHERE period = '{period}' AND currency = 'EUR' AND rank = {rank}"
        ));
        let micros = self.micros(sales);
        self.write(&format!(
            "INSERT INTO top_products VALUES ('{period}', 'EUR', {rank}, '{product}', '{sales}.000000'{micros}, {sales}, {sales}, {epoch})"
        ));
    }

    /// A minute's orders, as they are from this epoch on.
    pub fn minute(&self, minute: &str, sales: u32, epoch: u64) {
        let minute = format!("{minute}:00.000Z");
        self.write(&format!("DELETE FROM orders_per_minute WHERE minute = '{minute}'"));
        self.insert("orders_per_minute", "minute, currency", &[&minute, "EUR"], sales, epoch);
    }

    /// A row that left a view in this epoch.
    pub fn removal(&self, view: &str, key: &Value, epoch: u64) {
        self.write(&format!("INSERT INTO removals (view, key, epoch) VALUES ('{view}', '{key}', {epoch})"));
    }

    /// Keeps all views but these.
    pub fn switch_off(&self, off: &[&str]) {
        let kept: Vec<&str> = VIEWS.iter().map(|view| view.name).filter(|name| !off.contains(name)).collect();
        let list = json!(kept).to_string();
        if self.store.is_postgres() {
            self.write(&format!("UPDATE job SET views = ARRAY(SELECT jsonb_array_elements_text('{list}'))"));
        } else {
            self.write(&format!("UPDATE job SET views = '{list}'"));
        }
    }

    fn insert(&self, table: &str, key: &str, values: &[&str], sales: u32, epoch: u64) {
        let (values, micros) = (values.join("', '"), self.micros(sales));
        let column = if micros.is_empty() { "" } else { ", total_sales_micros" };
        self.write(&format!(
            "INSERT INTO {table} ({key}, total_sales{column}, orders, units, epoch)
             VALUES ('{values}', '{sales}.000000'{micros}, {sales}, {sales}, {epoch})"
        ));
    }

    /// What SQLite has beside an amount.
    fn micros(&self, sales: u32) -> String {
        if self.store.is_postgres() { String::new() } else { format!(", {sales}000000") }
    }
}
