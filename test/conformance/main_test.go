package conformance

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets more tests run at once than there are processors, unless the command line says how many: most of their time
// they wait for sessions and rebalances.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		flag.Set("test.parallel", "4")
	}
	os.Exit(m.Run())
}
