defmodule LockGate.Application do
  use Application

  @impl true
  def start(_type, _args) do
    File.mkdir_p!("/tmp/lock_gate")
    root = String.to_charlist("/tmp/lock_gate")

    {:ok, _} =
      :inets.start(:httpd,
        port: 4010,
        bind_address: {0, 0, 0, 0},
        server_name: 'lock_gate',
        server_root: root,
        document_root: root,
        modules: [LockGate.Page]
      )

    Supervisor.start_link([], strategy: :one_for_one, name: LockGate.Supervisor)
  end
end
