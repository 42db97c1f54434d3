package metrics

// Counters is a family of counters.
type Counters struct{ f *family }

// With returns the counter with these label values, in the order of the label names: resolve it once
// and keep it.
func (c *Counters) With(values ...string) *Counter { return c.f.with(values).counter }

// Remove stops exporting the counter with these label values (its topic was deleted).
func (c *Counters) Remove(values ...string) { c.f.remove(values) }

// Limit bounds the number of children to n; what comes later shares one whose labels all say "other".
// Use it where clients choose label values.
func (c *Counters) Limit(n int) *Counters { c.f.setLimit(n); return c }

// Gauges is a family of gauges.
type Gauges struct{ f *family }

// With returns the gauge with these label values: resolve it once and keep it.
func (g *Gauges) With(values ...string) *Gauge { return g.f.with(values).gauge }

// Remove stops exporting the gauge with these label values.
func (g *Gauges) Remove(values ...string) { g.f.remove(values) }

// Limit bounds the number of children, see Counters.Limit.
func (g *Gauges) Limit(n int) *Gauges { g.f.setLimit(n); return g }

// Histograms is a family of histograms.
type Histograms struct{ f *family }

// With returns the histogram with these label values: resolve it once and keep it.
func (h *Histograms) With(values ...string) *Histogram { return h.f.with(values).histogram }

// Remove stops exporting the histogram with these label values.
func (h *Histograms) Remove(values ...string) { h.f.remove(values) }

// Limit bounds the number of children, see Counters.Limit.
func (h *Histograms) Limit(n int) *Histograms { h.f.setLimit(n); return h }
