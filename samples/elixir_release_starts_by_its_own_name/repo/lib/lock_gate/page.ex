defmodule LockGate.Page do
  @behaviour :httpd

  def unquote(:do)(_request) do
    body = 'lock gate open\n'
    head = [code: 200, content_type: 'text/plain', content_length: Integer.to_charlist(length(body))]
    {:proceed, [response: {:response, head, body}]}
  end
end
