//! Where the signs of rules may stand in a log, found in one pass over it.

use aho_corasick::AhoCorasick;

use crate::recipe::Catalog;

/// For each sign, in the order of the rules: the lines, from 0, that may show it; `None` where any
/// line may.
pub type Spots = Vec<Option<Vec<usize>>>;

/// Returns which of `lines` have a text that the sign of a rule cannot do without.
pub fn spots(lines: &[&str], catalog: &Catalog) -> Spots {
    let signs = catalog.repairs.iter().flat_map(|(_, rule)| &rule.log);
    let mut spots = Spots::new();
    // Each text with the number of its sign.
    let mut texts: Vec<(&str, usize)> = Vec::new();
    for (number, sign) in signs.enumerate() {
        let before = texts.len();
        texts.extend(sign.pattern.needed().map(|text| (text, number)));
        spots.push((texts.len() > before).then(Vec::new));
    }
    let finder = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(texts.iter().map(|(text, _)| text));
    let Ok(finder) = finder else {
        // There are more texts than fit.
        return vec![None; spots.len()];
    };
    for (index, line) in lines.iter().enumerate() {
        for found in finder.find_overlapping_iter(line) {
            let (_, number) = texts[found.pattern().as_usize()];
            if let Some(known) = &mut spots[number]
                && known.last() != Some(&index)
            {
                known.push(index);
            }
        }
    }
    spots
}
