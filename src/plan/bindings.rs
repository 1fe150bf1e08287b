//! Which environment variables lead the application to a service.

use std::collections::BTreeMap;

use super::{
    env::switch,
    input::Input,
    services::{Known, is_read, leads_there},
};
use crate::recipe::ServiceRecipe;

/// A service, with the names of what the application has in it.
pub struct Named<'a> {
    /// Its id, which is its host.
    pub id: &'a str,
    /// Its recipe.
    pub recipe: &'a ServiceRecipe,
    /// The application's own name, as that of a database.
    pub name: String,
    /// The user.
    pub user: String,
    /// The database.
    pub database: String,
}

impl Named<'_> {
    /// Returns `text` with the names filled in.
    pub fn fill(&self, text: &str) -> String {
        text.replace("{user}", &self.user)
            .replace("{database}", &self.database)
            .replace("{name}", &self.name)
    }

    /// The address for the variable `name`, in the way that its example shows.
    fn url(&self, name: &str, known: &Known, input: &Input<'_, '_>) -> String {
        let recipe = self.recipe;
        let shown = known.get(name).cloned().flatten().unwrap_or_default();
        let scheme = shown.split_once("://").map(|(scheme, _)| scheme.to_owned());
        let is_own = scheme
            .as_ref()
            .is_some_and(|scheme| recipe.schemes.contains(scheme));
        // What an example asks of the connection, such as `?sslmode=disable`, stays.
        let options = shown.split_once('?').filter(|_| is_own);
        let of_client = || {
            let mut known = recipe.url_options.iter();
            let known =
                known.find(|known| input.selection.manifest.package(&known.package).is_some());
            known.map(|known| known.options.as_str())
        };
        let options = options.map(|(_, options)| options).or_else(of_client);
        let options = options.map_or(String::new(), |options| format!("?{options}"));
        let scheme = scheme
            .filter(|_| is_own)
            .unwrap_or_else(|| recipe.schemes[0].clone());
        self.fill(&recipe.url).replace("{scheme}", &scheme) + &options
    }
}

/// Returns the value of each variable that leads to the service. `told` are the roles that the source
/// leaves to the clients' own variables, `contents` is what names what is made in it.
pub fn bindings(
    named: &Named<'_>,
    told: &[&str],
    contents: Option<&BTreeMap<String, String>>,
    known: &Known,
    input: &Input<'_, '_>,
) -> BTreeMap<String, String> {
    let recipe = named.recipe;
    let url = |name: &str| named.url(name, known, input);
    let secret = recipe.secrets.first();
    let password = secret.map(|secret| format!("${{{secret}}}"));
    let mut env = BTreeMap::new();
    // Few variables lead there, and all that are read have to be gone through for each.
    let leading = known.keys().filter(|name| leads_there(recipe, known, name));
    for name in leading.filter(|name| is_read(name, input)) {
        env.entry(name.clone()).or_insert_with(|| url(name));
    }
    let mut bind = |role: &str, value: &dyn Fn(&str) -> String| {
        let names = recipe.env.get(role).into_iter().flatten();
        for name in names.filter(|name| known.contains_key(*name)) {
            env.entry(name.clone()).or_insert_with(|| value(name));
        }
    };
    let address = format!("{}:{}", named.id, recipe.port);
    // A variable may hold more or less than its name tells: the example shows it.
    let as_shown = |name: &str, otherwise: String| {
        let shown = known.get(name).and_then(Option::as_deref);
        let port = shown.and_then(|shown| shown.rsplit_once(':')?.1.parse::<u16>().ok());
        match shown {
            Some(shown) if shown.contains("://") => url(name),
            Some(_) if port.is_some() => address.clone(),
            Some(_) | None => otherwise,
        }
    };
    bind("url", &|name| as_shown(name, url(name)));
    bind("host", &|name| as_shown(name, named.id.to_owned()));
    bind("port", &|_| recipe.port.to_string());
    bind("address", &|name| as_shown(name, address.clone()));
    for (role, value) in &recipe.values {
        bind(role, &|name| {
            let shown = known.get(name).and_then(Option::as_deref);
            let (_, off) = switch(shown.unwrap_or("false"));
            named.fill(value).replace("{off}", off)
        });
    }
    bind("user", &|_| named.user.clone());
    bind("database", &|_| named.database.clone());
    if let Some(password) = &password {
        bind("password", &|_| password.clone());
    }
    for (name, value) in contents.into_iter().flatten() {
        env.entry(name.clone()).or_insert_with(|| value.clone());
    }
    for role in told {
        let value = match *role {
            "host" => named.id.to_owned(),
            "user" => named.user.clone(),
            _ => password.clone().unwrap_or_default(),
        };
        env.insert(recipe.client_env[*role].clone(), value);
    }
    if let Some(dsn) = &recipe.dsn {
        let shows = |value: &Option<String>| {
            value
                .as_ref()
                .is_some_and(|value| value.contains(&dsn.sign))
        };
        for (name, _) in known.iter().filter(|(_, value)| shows(value)) {
            env.insert(name.clone(), named.fill(&dsn.value));
        }
    }
    let framework = input.selection.framework;
    let of_framework = framework.and_then(|(id, _)| recipe.frameworks.get(id));
    for (name, value) in of_framework.into_iter().flatten() {
        env.entry(name.clone()).or_insert_with(|| named.fill(value));
    }
    // A URL that shows another service's scheme is not this one's; `http` is nobody's.
    let is_anothers = |scheme: &String| {
        let mut all = input.catalog.services.values();
        !recipe.schemes.contains(scheme) && all.any(|other| other.schemes.contains(scheme))
    };
    env.retain(|name, _| {
        let shown = known.get(name).cloned().flatten().unwrap_or_default();
        let scheme = shown.split_once("://").map(|(scheme, _)| scheme.to_owned());
        !scheme.as_ref().is_some_and(is_anothers)
    });
    env
}
