<?php

namespace Harbour\Pilots;

class Board
{
    public function tell(int $pilot): string
    {
        return "pilot $pilot is on board\n";
    }
}
