@vite('resources/css/app.css')
<ul>
@foreach ($lights as $light)
    <li>{{ $light->name }}: {{ $light->lit ? 'lit' : 'dark' }}</li>
@endforeach
</ul>
