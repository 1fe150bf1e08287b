project = "drizzle"
