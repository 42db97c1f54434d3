package config

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseAndFormat(t *testing.T) {
	f := func(typ Type, text, want string) {
		t.Helper()
		r := &Row{Name: "x", Type: typ}
		v, err := parse(r, text)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = v.format(typ)
		}
		if got != want {
			t.Errorf("%s %q: got %s, want %s", typ, text, got, want)
		}
	}
	f(Int, " +007\t", "7")
	f(Int, "2147483648", "Invalid value 2147483648 for configuration x: Not a number of type INT")
	f(Int, "1_000", "Invalid value 1_000 for configuration x: Not a number of type INT")
	f(Int, "", "Invalid value  for configuration x: Not a number of type INT")
	f(Short, "32768", "Invalid value 32768 for configuration x: Not a number of type SHORT")
	f(Long, "-9223372036854775808", "-9223372036854775808")
	f(Long, "0x10", "Invalid value 0x10 for configuration x: Not a number of type LONG")
	f(Boolean, " TRUE ", "true")
	f(Boolean, "1", "Invalid value 1 for configuration x: Expected value to be either true or false")
	f(Double, "1e10", "1.0E10")
	f(Double, "0.10", "0.1")
	f(Double, "0.0001f", "1.0E-4")
	f(Double, "12345678", "1.2345678E7")
	f(Double, "100", "100.0")
	f(Double, "1e999", "Infinity")
	f(Double, "-Infinity", "-Infinity")
	f(Double, "inf", "Invalid value inf for configuration x: Not a number of type DOUBLE")
	f(Double, "1_0", "Invalid value 1_0 for configuration x: Not a number of type DOUBLE")
	f(Double, "", "Invalid value  for configuration x: Not a number of type DOUBLE")
	f(Double, "1.7976931348623157E308", "1.7976931348623157E308")
	f(List, " a , b,,c ", "a,b,,c")
	f(List, "", "")
	f(String, "  a b ", "a b")
	f(Password, "p", "p")
}

func TestPasswordIsNotInErrors(t *testing.T) {
	if err := invalid(&Row{Name: "x", Type: Password}, "secret", "bad"); strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestDurations(t *testing.T) {
	b := zero(t)
	if got := b.Duration(OffsetsRetentionMinutes); got != 7*24*time.Hour {
		t.Error(got)
	}
	if got := b.Duration(LogRetentionHours); got != 168*time.Hour {
		t.Error(got)
	}
	if got := b.Duration(QuotaWindowSizeSeconds); got != time.Second {
		t.Error(got)
	}
	topic := b.Topic(map[string]string{"retention.ms": "-1"})
	if got := topic.Duration(TopicRetentionMs); got != -time.Millisecond {
		t.Error(got)
	}
	if got := topic.Duration(TopicFlushMs); got != math.MaxInt64 {
		t.Error(got)
	}
}

func TestNull(t *testing.T) {
	b := zero(t)
	if !b.IsNull(LogRetentionMs) || b.IsNull(LogRetentionHours) || b.Text(BrokerRack) != "" || !b.IsNull(BrokerRack) {
		t.Error("null is not null")
	}
}
