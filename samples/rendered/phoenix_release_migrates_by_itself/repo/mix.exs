defmodule Logbook.MixProject do
  use Mix.Project

  def project do
    [app: :logbook, version: "0.1.0", elixir: "~> 1.14", deps: deps()]
  end

  def application do
    [mod: {Logbook.Application, []}, extra_applications: [:logger]]
  end

  defp deps do
    [
      {:phoenix, "~> 1.7.10"},
      {:ecto_sql, "~> 3.10"},
      {:postgrex, ">= 0.0.0"},
      {:plug_cowboy, "~> 2.5"}
    ]
  end
end
