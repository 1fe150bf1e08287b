package org.example.harbour;

import io.micronaut.context.annotation.Value;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;

@Controller("/buoys")
public class BuoyController {
    @Value("${buoys.file}")
    String file;

    @Get
    public String index() {
        return "buoys of " + file;
    }
}
