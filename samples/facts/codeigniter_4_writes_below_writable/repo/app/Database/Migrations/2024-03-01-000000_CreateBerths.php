<?php

namespace App\Database\Migrations;

use CodeIgniter\Database\Migration;

class CreateBerths extends Migration
{
    public function up()
    {
        $this->forge->addField(['id' => ['type' => 'INT', 'auto_increment' => true], 'ship' => ['type' => 'VARCHAR', 'constraint' => 80]]);
        $this->forge->addKey('id', true);
        $this->forge->createTable('berths');
    }

    public function down()
    {
        $this->forge->dropTable('berths');
    }
}
