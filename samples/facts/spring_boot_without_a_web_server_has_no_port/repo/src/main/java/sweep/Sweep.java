package sweep;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;

@SpringBootApplication
@EnableScheduling
public class Sweep {
    public static void main(String[] arguments) {
        SpringApplication.run(Sweep.class, arguments);
    }

    @Scheduled(fixedDelay = 60000)
    public void sweep() {
        System.out.println("swept");
    }
}
