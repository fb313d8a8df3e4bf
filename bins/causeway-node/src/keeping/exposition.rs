//! What is known, as Prometheus reads it.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;

/// The type of the page of metrics.
pub(crate) const PAGE_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The text of a page. All names begin with `prefix`.
///
/// # Errors
/// A metric can't be written.
pub(crate) fn page(
    prefix: &'static str,
    write: impl Fn(&mut Page<'_>) -> fmt::Result + Send + Sync + 'static,
) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition { prefix, write: Box::new(write) }));
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

type Write = Box<dyn Fn(&mut Page<'_>) -> fmt::Result + Send + Sync>;

struct Exposition {
    prefix: &'static str,
    write: Write,
}

impl fmt::Debug for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)
    }
}

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        (self.write)(&mut Page { encoder, prefix: self.prefix })
    }
}

/// A row of a metric with one label: the label's value, and the row's.
pub(crate) type Row<V> = (String, V);

/// A page that is being written.
pub(crate) struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
    prefix: &'static str,
}

impl Page<'_> {
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let (name, gauge) = (self.named(name), ConstGauge::new(value));
        gauge.encode(self.encoder.encode_descriptor(&name, help, None, gauge.metric_type())?)
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let (name, counter) = (self.named(name), ConstCounter::new(value));
        counter.encode(self.encoder.encode_descriptor(&name, help, None, counter.metric_type())?)
    }

    pub(crate) fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        rows: impl IntoIterator<Item = Row<f64>>,
    ) -> fmt::Result {
        let name = self.named(name);
        let mut metric = self.encoder.encode_descriptor(&name, help, None, ConstGauge::new(0.0).metric_type())?;
        for (value_of_label, value) in rows {
            ConstGauge::new(value).encode(metric.encode_family(&[(label, value_of_label.as_str())])?)?;
        }
        Ok(())
    }

    pub(crate) fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        rows: impl IntoIterator<Item = Row<u64>>,
    ) -> fmt::Result {
        let name = self.named(name);
        let mut metric = self.encoder.encode_descriptor(&name, help, None, ConstCounter::new(0_u64).metric_type())?;
        for (value_of_label, value) in rows {
            ConstCounter::new(value).encode(metric.encode_family(&[(label, value_of_label.as_str())])?)?;
        }
        Ok(())
    }

    /// Rows with two labels.
    pub(crate) fn counters_of_two(
        &mut self,
        name: &str,
        help: &str,
        labels: [&str; 2],
        rows: impl IntoIterator<Item = ([String; 2], u64)>,
    ) -> fmt::Result {
        let name = self.named(name);
        let mut metric = self.encoder.encode_descriptor(&name, help, None, ConstCounter::new(0_u64).metric_type())?;
        let [first, second] = labels;
        for ([one, other], value) in rows {
            let labels = [(first, one.as_str()), (second, other.as_str())];
            ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Observations in buckets: each bucket's upper bound and the observations in it and in no lower one.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        sum: f64,
        count: u64,
        buckets: &[(f64, u64)],
    ) -> fmt::Result {
        let name = self.named(name);
        let mut metric = self.encoder.encode_descriptor(&name, help, None, MetricType::Histogram)?;
        metric.encode_histogram::<[(&str, &str); 0]>(sum, count, buckets, None)
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

pub(crate) fn yes(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of things, and hashes of 48 bits, are exact in a double")]
pub(crate) fn number(value: u64) -> f64 {
    value as f64
}

pub(crate) fn count(value: usize) -> f64 {
    number(u64::try_from(value).unwrap_or(u64::MAX))
}
