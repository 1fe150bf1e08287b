<?php

namespace App;

final class Weather
{
    public static function today(string $station): array
    {
        return ['station' => $station, 'wind' => 'north'];
    }
}
