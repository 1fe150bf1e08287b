<?php
return ["title" => "Bell tower"];
