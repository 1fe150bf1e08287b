<?php

declare(strict_types=1);

namespace DoctrineMigrations;

use Doctrine\DBAL\Schema\Schema;
use Doctrine\Migrations\AbstractMigration;

final class Version20240301090000 extends AbstractMigration
{
    public function up(Schema $schema): void
    {
        $this->addSql('CREATE TABLE harbour (id SERIAL NOT NULL, name VARCHAR(80) NOT NULL, PRIMARY KEY(id))');
    }
}
