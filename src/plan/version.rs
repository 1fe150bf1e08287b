//! Versions and requests such as `>=3.6,<4`, `^12.1`, `16.x`, at the granularity of image tags.

/// A version as numbers: `3.11` is `[3, 11]`.
pub type Numbers = Vec<u64>;

/// Returns the leading numbers of `text`, past a name or `v` before them; empty where there are
/// none.
pub fn numbers(text: &str) -> Numbers {
    let start = text
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(text.len());
    text[start..]
        .split('.')
        .map_while(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .collect()
}

/// Returns whether some release of `version`, such as `3.11`, fits `request`.
///
/// A request that cannot be read fits nothing.
pub fn fits(version: &str, request: &str) -> bool {
    let version = numbers(version);
    request.split("||").any(|alternative| {
        let mut bounds = bounds(alternative).into_iter().peekable();
        bounds.peek().is_some() && bounds.all(|bound| bound.allows(&version))
    })
}

/// Returns whether `request` names one version rather than a range.
pub fn is_exact(request: &str) -> bool {
    let bounds = bounds(request);
    matches!(&bounds[..], [Bound { operator: Operator::Same, numbers }] if !numbers.is_empty())
}

/// Returns the lowest version that a pin such as `==1.2`, `^1.2` or `1.2` installs; `None` for
/// other requests.
pub fn pinned(requirement: &str) -> Option<Numbers> {
    let bounds = bounds(requirement);
    let [bound] = &bounds[..] else { return None };
    match bound.operator {
        Operator::Same | Operator::Compatible | Operator::Caret => Some(bound.numbers.clone()),
        Operator::AtLeast
        | Operator::Above
        | Operator::AtMost
        | Operator::Below
        | Operator::Not => None,
    }
}

/// Compares versions number by number; missing numbers are zero.
pub fn compare(a: &[u64], b: &[u64]) -> std::cmp::Ordering {
    let length = a.len().max(b.len());
    let at = |numbers: &[u64], index: usize| numbers.get(index).copied().unwrap_or(0);
    (0..length)
        .map(|index| at(a, index).cmp(&at(b, index)))
        .find(|order| order.is_ne())
        .unwrap_or(std::cmp::Ordering::Equal)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Same,
    Not,
    AtLeast,
    Above,
    AtMost,
    Below,
    /// `~=1.4`, `~1.4`: the last number may grow.
    Compatible,
    /// `^1.4`: all but the first number may grow.
    Caret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    operator: Operator,
    numbers: Numbers,
}

impl Bound {
    fn allows(&self, version: &[u64]) -> bool {
        let shared = version.len().min(self.numbers.len());
        let short = &self.numbers[..shared];
        let (order, prefix) = (compare(version, short), version[..shared] == *short);
        let more = self.numbers[shared..].iter().any(|number| *number > 0);
        match self.operator {
            Operator::Same => prefix,
            Operator::Not => !prefix || self.numbers.len() > version.len(),
            Operator::AtLeast => order.is_ge(),
            Operator::Above => order.is_gt() || prefix && self.numbers.len() > version.len(),
            Operator::AtMost => order.is_le() || prefix,
            Operator::Below => order.is_lt() || order.is_eq() && more,
            Operator::Compatible => {
                let kept = self.numbers.len().saturating_sub(1).max(1);
                order.is_ge()
                    && version
                        .iter()
                        .zip(&self.numbers)
                        .take(kept.min(shared))
                        .all(|(a, b)| a == b)
            }
            Operator::Caret => order.is_ge() && version.first() == self.numbers.first(),
        }
    }
}

/// Reads comparators separated by commas or blanks; a `+` behind a version means "or newer", `x` and
/// `*` end it, `a - b` is a range.
fn bounds(text: &str) -> Vec<Bound> {
    let text = text.replace(" - ", " <=").replace(" and ", ",");
    let mut bounds = Vec::new();
    let mut operator = Operator::Same;
    for token in text
        .split([',', ' '])
        .map(|token| token.trim_matches(['"', '\'', '(', ')']))
        .filter(|token| !token.is_empty())
    {
        let end = token
            .find(|c: char| !"<>=~^!".contains(c))
            .unwrap_or(token.len());
        match &token[..end] {
            "" => {}
            "==" | "=" | "===" => operator = Operator::Same,
            "!=" => operator = Operator::Not,
            ">=" => operator = Operator::AtLeast,
            ">" => operator = Operator::Above,
            "<=" => operator = Operator::AtMost,
            "<" => operator = Operator::Below,
            "~=" | "~" | "~>" => operator = Operator::Compatible,
            "^" => operator = Operator::Caret,
            _ => return Vec::new(),
        }
        let rest = &token[end..];
        if rest.is_empty() {
            continue; // `>= 3`: the version is the next token
        }
        let numbers = numbers(rest);
        if numbers.is_empty() {
            return Vec::new();
        }
        if operator == Operator::Same && rest.ends_with('+') {
            operator = Operator::AtLeast;
        }
        bounds.push(Bound { operator, numbers });
        operator = Operator::Same;
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &str, fit: &[&str], unfit: &[&str]) {
        for version in fit {
            assert!(fits(version, request), "{version} fits {request}");
        }
        for version in unfit {
            assert!(!fits(version, request), "{version} does not fit {request}");
        }
    }

    #[test]
    fn ranges_are_read_at_the_granularity_of_the_tag() {
        check(">=3.6.1", &["3.6", "3.11"], &["3.5"]);
        check(">=3.6,<4.0", &["3.6", "3.13"], &["2.7"]);
        check("<3.10", &["3.9"], &["3.10", "3.11"]);
        check("^3.7", &["3.7", "3.12"], &["3.6", "2.7"]);
        check("~=3.7.0", &["3.7"], &["3.8"]);
        check("3.8.*", &["3.8"], &["3.9"]);
        check("python-3.7.3", &["3.7"], &["3.8"]);
    }

    #[test]
    fn requests_of_node_are_read() {
        check(">=10 <17", &["10", "16"], &["17", "8"]);
        check("14 || 16", &["14", "16"], &["15"]);
        check("v16.13.0", &["16"], &["18"]);
        check("8.x", &["8"], &["10"]);
        check("~12.18", &["12"], &["14"]);
        check("14+", &["14", "20"], &["12"]);
        check("lts/*", &[], &["20"]);
        check(">= 16", &["16", "18"], &["14"]);
    }

    #[test]
    fn a_pin_has_a_lowest_version() {
        assert_eq!(pinned("==2.0.2"), Some(vec![2, 0, 2]));
        assert_eq!(pinned("^4.17.1"), Some(vec![4, 17, 1]));
        assert_eq!(pinned(">=1.0"), None);
    }
}
