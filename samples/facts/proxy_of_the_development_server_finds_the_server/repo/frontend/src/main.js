fetch('/api/boats')
