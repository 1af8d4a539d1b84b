// How two reports about one run become one record.
#pragma once

#include "record/run.h"

namespace parallax::store {

// A run only moves forward: an ended run is not reopened, the state that is further along wins. News from that state
// or a later one replaces what was known; older news only fills gaps. The timelines are joined, in order of time.
Run merge_run(const Run& known, const Run& news);

}  // namespace parallax::store
