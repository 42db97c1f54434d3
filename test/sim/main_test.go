package sim

import (
	"os"
	"testing"

	"github.com/ottla/ottla/test/sim/bubble"
)

func TestMain(m *testing.M) { os.Exit(bubble.Main(m)) }
