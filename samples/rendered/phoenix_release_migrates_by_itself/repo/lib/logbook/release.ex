defmodule Logbook.Release do
  @app :logbook

  def migrate do
    {:ok, _, _} = Ecto.Migrator.with_repo(Logbook.Repo, &Ecto.Migrator.run(&1, :up, all: true))
  end
end
