//! When a CronJob runs.

use super::texts;

/// Five cron fields as the parser of Kubernetes reads them: `robfig/cron`, standard form
/// (<https://pkg.go.dev/github.com/robfig/cron/v3#hdr-CRON_Expression_Format>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronExpression(String);

/// What one field may hold: its least and greatest number, and names for numbers from the least on.
struct Field {
    least: u32,
    greatest: u32,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    numbers(0, 59),
    numbers(0, 23),
    numbers(1, 31),
    Field {
        least: 1,
        greatest: 12,
        names: &MONTHS,
    },
    Field {
        least: 0,
        greatest: 6,
        names: &DAYS,
    },
];

const fn numbers(least: u32, greatest: u32) -> Field {
    Field {
        least,
        greatest,
        names: &[],
    }
}

impl CronExpression {
    /// Returns the expression that `text` is, if Kubernetes takes it. A crontab's Sunday may be 7, also at
    /// the end of a range, which Kubernetes calls 0.
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return None;
        };
        let days = weekday.split(',').map(|range| match range {
            "7" => "0".to_owned(),
            "0-7" => "*".to_owned(),
            range => match range.strip_suffix("-7") {
                Some(first) => format!("{first}-6,0"),
                None => range.to_owned(),
            },
        });
        let weekday = days.collect::<Vec<_>>().join(",");
        let fields = [minute, hour, day, month, weekday.as_str()];
        let is_known = fields
            .iter()
            .zip(&FIELDS)
            .all(|(text, field)| field.takes(text));
        is_known.then(|| Self(fields.join(" ")))
    }
}

impl Field {
    /// Whether `text` is a list of ranges of the field.
    fn takes(&self, text: &str) -> bool {
        text.split(',').all(|range| self.takes_range(range))
    }

    fn takes_range(&self, range: &str) -> bool {
        let (range, step) = match range.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (range, None),
        };
        let steps = step.is_none_or(|step| number(step).is_some_and(|step| step > 0));
        let is_range = match range.split_once('-') {
            _ if range == "*" => true,
            Some((first, last)) => {
                let bounds = self.number(first).zip(self.number(last));
                bounds.is_some_and(|(first, last)| first <= last)
            }
            None => self.number(range).is_some(),
        };
        steps && is_range
    }

    /// The number that `text` is or names, within the bounds of the field.
    fn number(&self, text: &str) -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        let named = self.names.iter().position(|name| *name == lower);
        let named = named.and_then(|at| u32::try_from(at).ok());
        let number = named.map(|at| at + self.least).or_else(|| number(text))?;
        (self.least..=self.greatest)
            .contains(&number)
            .then_some(number)
    }
}

fn number(text: &str) -> Option<u32> {
    let is_number = text.len() <= 4 && text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

texts!(CronExpression);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        CronExpression::parse(text).map(|cron| cron.0)
    }

    #[test]
    fn what_kubernetes_reads_is_taken() {
        for text in [
            "* * * * *",
            "*/5 0-23/2 1,15 * *",
            "0 3 * JAN-mar Mon",
            "5/10 0 31 12 0-6",
        ] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_kubernetes_refuses_is_not() {
        for text in [
            "61 25 32 13 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "* * 0 * *",
            "* * * * 1-8",
            "* * * *",
            "* * * * * *",
            "*-5 * * * *",
            "1,,2 * * * *",
            "a * * * *",
            "+1 * * * *",
            "@daily",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn sunday_is_0() {
        assert_eq!(read("0  3 * * 7").as_deref(), Some("0 3 * * 0"));
        assert_eq!(read("0 3 * * 2,5-7").as_deref(), Some("0 3 * * 2,5-6,0"));
    }
}
