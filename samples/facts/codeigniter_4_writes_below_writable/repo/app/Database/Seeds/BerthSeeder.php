<?php

namespace App\Database\Seeds;

use CodeIgniter\Database\Seeder;

class BerthSeeder extends Seeder
{
    public function run()
    {
        $this->db->table('berths')->ignore(true)->insert(['id' => 1, 'ship' => 'Anna']);
    }
}
