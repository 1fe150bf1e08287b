<?php
defined('BASEPATH') OR exit('No direct script access allowed');

class Roster
{
	private $db;

	public function __construct($settings)
	{
		$this->db = new mysqli($settings['hostname'], $settings['username'], $settings['password'], $settings['database']);
	}

	public function index()
	{
		foreach ($this->db->query('SELECT name FROM pilots') as $row) {
			echo htmlspecialchars($row['name']), "\n";
		}
	}
}
