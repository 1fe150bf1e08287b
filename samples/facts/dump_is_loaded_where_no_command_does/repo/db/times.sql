CREATE TABLE `departure` (`id` INT PRIMARY KEY AUTO_INCREMENT, `harbour` VARCHAR(40), `at` TIME) ENGINE=InnoDB;
INSERT INTO `departure` (`harbour`, `at`) VALUES ('North', '07:30'), ('South', '08:15');
