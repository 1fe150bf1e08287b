using Ropewalk.Core;

var builder = WebApplication.CreateBuilder(args);
var app = builder.Build();
app.MapGet("/", () => new Rope(1, 220));
app.MapGet("/health", () => "ok");
app.Run();
