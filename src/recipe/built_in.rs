//! The built-in recipes, as longshore's build left them.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;

use super::index::{Index, Place};

static CATALOGUE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.bin"));
static TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/catalogue.toml"));

static BUILT_IN: LazyLock<(Index, &'static [u8])> = LazyLock::new(|| {
    let (length, rest) = CATALOGUE.split_at(4);
    let length = u32::from_le_bytes(length.try_into().expect("four bytes"));
    let (index, recipes) = rest.split_at(length as usize);
    let index = rmp_serde::from_slice(index).expect("the build wrote it");
    (index, recipes)
});

/// Returns which recipes there are.
pub fn index() -> &'static Index {
    &BUILT_IN.0
}

/// Returns the recipe at `place`.
pub fn recipe<T: DeserializeOwned>(place: Place) -> T {
    let (start, end) = place.encoded;
    rmp_serde::from_slice(&BUILT_IN.1[start..end]).expect("the build wrote it")
}

/// Returns the text of the recipe at `place`, as it is written.
pub fn text(place: Place) -> &'static str {
    let (start, end) = place.text;
    &TEXTS[start..end]
}
