//! Names that are unique within their document.

use std::collections::{BTreeMap, BTreeSet};

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

    /// Returns a label for each of `texts`. One that is a label stays, whatever the order is.
    pub fn labels<const MAX: usize>(&mut self, texts: &[String]) -> Vec<Label<MAX>> {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|at| Label::<MAX>::of(&texts[*at]).as_str() != texts[*at]);
        let labels: BTreeMap<usize, Label<MAX>> = order
            .into_iter()
            .map(|at| (at, self.label(&texts[at])))
            .collect();
        labels.into_values().collect()
    }

    /// Returns a label that is `wish`, or has a hash of `text`, so that neither it nor a name that
    /// `further` makes of it is taken. All of them then are.
    pub fn label_with<const MAX: usize>(
        &mut self,
        wish: &str,
        text: &str,
        further: impl Fn(&str) -> Vec<String>,
    ) -> Label<MAX> {
        let mut label = Label::of(wish);
        let mut salted = text.to_owned();
        loop {
            let mut names = further(label.as_str());
            names.push(label.as_str().to_owned());
            if !names.iter().any(|name| self.0.contains(name)) {
                self.0.extend(names);
                return label;
            }
            label = Label::with_hash_of(wish, &salted);
            salted.push('+');
        }
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
        assert_eq!(taken.label::<63>("a b").as_str(), "a-b-2f969b");
    }

    #[test]
    fn what_is_a_label_stays_whatever_the_order_is() {
        let mut taken = Taken::default();
        let labels = taken.labels::<63>(&["beat_1".to_owned(), "beat-1".to_owned()]);
        assert_eq!(labels[1].as_str(), "beat-1");
        assert_ne!(labels[0], labels[1]);
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
