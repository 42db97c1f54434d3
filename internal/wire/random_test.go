package wire

import (
	"fmt"
	"math/rand/v2"
	"reflect"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// randomize fills a message of ours or of kmsg with random values: nulls, empty and short slices, now
// and then many bytes, unknown tags that collide with no known one.
func randomize(rng *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if tags, ok := v.Addr().Interface().(*kmsg.Tags); ok {
			for _, tag := range randomTags(rng) {
				tags.Set(tag.Tag, tag.Data)
			}
			return
		}
		for i := range v.NumField() {
			randomize(rng, v.Field(i))
		}
	case reflect.Pointer:
		if rng.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			randomize(rng, v.Elem())
		}
	case reflect.Slice:
		randomizeSlice(rng, v)
	case reflect.Array: // a UUID
		for i := range v.Len() {
			randomize(rng, v.Index(i))
		}
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.String:
		v.SetString([]string{"", "a", "orders", "Größe", fmt.Sprint(rng.Uint64())}[rng.IntN(5)])
	case reflect.Float64:
		v.SetFloat(rng.NormFloat64())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(randomNumber(rng) & (1<<v.Type().Bits() - 1))
	default:
		v.SetInt(int64(randomNumber(rng)) >> (64 - v.Type().Bits()))
	}
}

func randomizeSlice(rng *rand.Rand, v reflect.Value) {
	if v.Type() == reflect.TypeFor[[]Tag]() {
		v.Set(reflect.ValueOf(randomTags(rng)))
		return
	}
	n := rng.IntN(4) - 1
	if v.Type().Elem().Kind() == reflect.Uint8 && rng.IntN(4) == 0 {
		n = rng.IntN(3000)
	}
	if n < 0 {
		v.SetZero()
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		randomize(rng, v.Index(i))
	}
}

// randomNumber prefers the ends of the range, and the defaults 0 and -1.
func randomNumber(rng *rand.Rand) uint64 {
	switch rng.IntN(4) {
	case 0:
		return 0
	case 1:
		return 1<<64 - 1
	}
	return rng.Uint64()
}

func randomTags(rng *rand.Rand) []Tag {
	if rng.IntN(4) > 0 {
		return nil
	}
	tags := []Tag{{1000, []byte{}}, {1001, make([]byte, rng.IntN(300))}, {1<<31 - 2, []byte("x")}}
	return tags[:rng.IntN(4)]
}
