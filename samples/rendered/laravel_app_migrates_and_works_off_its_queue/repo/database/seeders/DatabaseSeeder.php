<?php

namespace Database\Seeders;

use Illuminate\Database\Seeder;
use Illuminate\Support\Facades\DB;

class DatabaseSeeder extends Seeder
{
    public function run(): void
    {
        DB::table('lights')->insertOrIgnore(['id' => 1, 'name' => 'North Mole', 'lit' => true]);
    }
}
