<?php
return new mysqli("localhost", "root", "", "bells");
