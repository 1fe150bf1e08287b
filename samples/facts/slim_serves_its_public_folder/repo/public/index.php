<?php

use App\Weather;
use Dotenv\Dotenv;
use Slim\Factory\AppFactory;

require __DIR__ . '/../vendor/autoload.php';

Dotenv::createImmutable(__DIR__ . '/..')->load();

$app = AppFactory::create();
$app->get('/weather/today', function ($request, $response) {
    $response->getBody()->write(json_encode(Weather::today($_ENV['STATION'])));

    return $response->withHeader('Content-Type', 'application/json');
});
$app->run();
