defmodule LockGate.MixProject do
  use Mix.Project

  def project do
    [
      app: :lock_gate,
      version: "0.2.0",
      elixir: "~> 1.14",
      start_permanent: Mix.env() == :prod,
      deps: []
    ]
  end

  def application do
    [extra_applications: [:logger, :inets], mod: {LockGate.Application, []}]
  end
end
