package options

// An Option is one name a Parser accepts.
type Option struct {
	name        string
	help        string
	argument    string // what the value is, for the table; "" prints only its type
	kind        kind
	typeName    string // as the table shows it: String, Integer, Long
	fallback    *string
	separator   byte
	availableIf []*Option
	required    bool
	forHelp     bool
}

type kind byte

const (
	flag kind = iota
	requiredValue
	optionalValue
)

// Name returns the option's name without dashes.
func (o *Option) Name() string { return o.name }

// Type returns what a value is: String, Integer or Long; "" without a value.
func (o *Option) Type() string { return o.typeName }

// Argument tells whether the option takes a value: none, required or optional.
func (o *Option) Argument() string { return [...]string{"none", "required", "optional"}[o.kind] }

// String is how Kafka's messages quote an option: [topic].
func (o *Option) String() string { return "[" + o.name + "]" }

// Integer says that the value is a 32-bit number.
func (o *Option) Integer() *Option { o.typeName = "Integer"; return o }

// Long says that the value is a 64-bit number.
func (o *Option) Long() *Option { o.typeName = "Long"; return o }

// Default is the value of an option that is not on the command line.
func (o *Option) Default(value string) *Option { o.fallback = &value; return o }

// SeparatedBy lets one argument hold several values.
func (o *Option) SeparatedBy(separator byte) *Option { o.separator = separator; return o }

// AvailableIf refuses the option unless one of others is there too.
func (o *Option) AvailableIf(others ...*Option) *Option { o.availableIf = others; return o }

// Required refuses a command line without the option, unless it asks for help.
func (o *Option) Required() *Option { o.required = true; return o }
