namespace Ropewalk.Core;

public record Rope(int Id, int Metres);
