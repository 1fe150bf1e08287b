//! Names that are unique within their document.

use std::collections::BTreeSet;

use super::Label;

/// The names that a document has already.
#[derive(Debug, Clone, Default)]
pub struct Taken(BTreeSet<String>);

impl Taken {
    /// Keeps `name` for what has to be called so.
    pub fn keep(&mut self, name: impl Into<String>) {
        self.0.insert(name.into());
    }

    /// Returns a label for `text`: the plain one, or, where that is taken, one with a hash of `text`.
    pub fn label<const MAX: usize>(&mut self, text: &str) -> Label<MAX> {
        self.label_with(text, text, |_| Vec::new())
    }

    /// Returns a label that is `wish`, or has a hash of `text`, so that neither it nor a name that
    /// `further` makes of it is taken. All of them then are.
    pub fn label_with<const MAX: usize>(
        &mut self,
        wish: &str,
        text: &str,
        further: impl Fn(&str) -> Vec<String>,
    ) -> Label<MAX> {
        let first = Label::of(wish);
        let others = (0_usize..).map(|round| {
            let salt = if round == 0 {
                String::new()
            } else {
                round.to_string()
            };
            Label::with_hash_of(wish, &format!("{text}{salt}"))
        });
        for label in std::iter::once(first).chain(others) {
            let mut names = further(label.as_str());
            names.push(label.as_str().to_owned());
            if !names.iter().any(|name| self.0.contains(name)) {
                self.0.extend(names);
                return label;
            }
        }
        unreachable!("there are more hashes than names")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_alike_is_told_apart_by_a_hash() {
        let mut taken = Taken::default();
        assert_eq!(taken.label::<63>("a-b").as_str(), "a-b");
        assert_eq!(taken.label::<63>("a b").as_str(), "a-b-c8687a");
        assert_eq!(taken.label::<63>("a b").as_str(), "a-b-1544a9");
    }

    #[test]
    fn a_name_is_free_only_with_what_comes_along() {
        let mut taken = Taken::default();
        taken.keep("web-prepare");
        let further = |name: &str| vec![format!("{name}-prepare")];
        let label = taken.label_with::<40>("web", "web", further);
        assert_ne!(label.as_str(), "web");
        assert_ne!(
            taken.label::<63>(&format!("{label}-prepare")).as_str(),
            format!("{label}-prepare")
        );
    }
}
