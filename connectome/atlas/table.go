package atlas

// atlases are tried in this order; on a tie the earlier one wins.
var atlases = []*Atlas{desikan}
