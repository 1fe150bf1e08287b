import * as React from "react";

export default () => <p>Tick</p>;
