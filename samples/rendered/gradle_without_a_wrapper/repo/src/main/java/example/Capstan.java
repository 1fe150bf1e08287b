package example;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.*;

@SpringBootApplication
@RestController
public class Capstan {
    @GetMapping("/capstan")
    public String turn() {
        return "heave";
    }

    public static void main(String[] args) {
        SpringApplication.run(Capstan.class, args);
    }
}
