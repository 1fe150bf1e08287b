import React from 'react';

export default () => <b>Hive</b>;
