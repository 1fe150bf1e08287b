import Config

if System.get_env("PHX_SERVER") do
  config :logbook, LogbookWeb.Endpoint, server: true
end

if config_env() == :prod do
  config :logbook, Logbook.Repo, url: System.fetch_env!("DATABASE_URL")

  config :logbook, LogbookWeb.Endpoint,
    http: [port: String.to_integer(System.get_env("PORT", "4000"))],
    secret_key_base: System.fetch_env!("SECRET_KEY_BASE")
end
