//! The syntaxes of configuration files. The build of longshore reads it for the recipes, too.

use serde::{Deserialize, Serialize};

/// How a configuration file is read, and so how a value in it is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Syntax {
    /// <https://nginx.org/en/docs/beginners_guide.html#conf_structure>.
    Nginx,
    /// <https://httpd.apache.org/docs/2.4/configuring.html#syntax>.
    Apache,
    /// <https://www.php.net/manual/en/configuration.file.php>.
    Ini,
    /// Text, or an attribute between quotes: <https://www.w3.org/TR/xml/#syntax>.
    Xml,
    /// Between double quotes: <https://www.rfc-editor.org/rfc/rfc8259#section-7>.
    Json,
    /// Between double quotes: <https://toml.io/en/v1.0.0#string>.
    Toml,
    /// Behind a sign of equality:
    /// <https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)>.
    Properties,
    /// Between single quotes: <https://www.php.net/manual/en/language.types.string.php>.
    Php,
}
