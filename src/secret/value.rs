//! Whether a value is one that somebody keeps to himself.

/// The shortest value that counts: a shorter one stands in too many other words.
const SHORTEST: usize = 6;

/// Returns whether `value` is a reference, a placeholder, a word or a number, and so no secret.
/// `placeholders` are parts of values that stand for another one, `words` those of development.
pub fn is_ordinary(value: &str, placeholders: &[String], words: &[String]) -> bool {
    let lower = value.to_lowercase();
    let is_short = value.chars().count() < SHORTEST;
    let refers = value.contains(['$', '<', '>', '{', '}', '(', ')', '*', '[', '\\'])
        || value.contains(char::is_whitespace)
        || value.contains("...");
    let is_path =
        value.starts_with(['/', '.', '~']) || value.contains(":/") || value.ends_with(':');
    let stands_for = |word: &String| lower.contains(word.as_str());
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c == '!');
    let is_word = stem.is_empty() || words.iter().any(|word| *word == stem);
    is_short
        || refers
        || is_path
        || is_word
        || value.split('.').all(is_plain)
        || placeholders.iter().any(stands_for)
}

/// Whether `value` is written as words are: without a digit, in one case, or `CamelCase`.
fn is_plain(value: &str) -> bool {
    let letters = value.chars().filter(|c| c.is_alphabetic());
    let letters: Vec<char> = letters.collect();
    let joins = |c: char| c.is_alphabetic() || matches!(c, '_' | '-' | '.' | ':' | ',' | '@' | '/');
    if !value.chars().all(joins) {
        return false;
    }
    let uppers: Vec<bool> = letters.iter().map(|c| c.is_uppercase()).collect();
    let is_one_case = uppers.iter().all(|upper| *upper) || !uppers.contains(&true);
    // No two capitals in a row.
    let is_camel = !uppers.windows(2).any(|pair| pair == [true, true]);
    is_one_case || is_camel
}

/// Returns whether `value` looks made by a machine: long enough, with letters and with digits or both
/// cases. It supports another sign and is none alone.
pub fn looks_random(value: &str) -> bool {
    let has = |is: fn(&char) -> bool| value.chars().any(|c| is(&c));
    let mixed = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
    value.len() >= 8 && (has(char::is_ascii_digit) && has(char::is_ascii_alphabetic) || mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_references_and_numbers_are_ordinary() {
        let words = ["password".to_owned()];
        let placeholders = ["your".to_owned()];
        for value in [
            "word",
            "password",
            "password123",
            "12345678",
            "${TOKEN}",
            "<token-1A>",
            "your-Key-12",
            "AccessToken",
            "ACCESS_TOKEN",
            "process.env.token",
            "/run/secrets/a1",
            "f(x1)aaa",
        ] {
            assert!(is_ordinary(value, &placeholders, &words), "{value}");
        }
    }

    #[test]
    fn mixed_letters_and_digits_are_not() {
        for value in ["Xk39fQ", "hunter22x", "ABCDEFgh", "s3cr3t-value"] {
            assert!(!is_ordinary(value, &[], &[]), "{value}");
        }
    }
}
