package wire

// writeArray writes an array of values other than structs.
func writeArray[T any](w *Writer, s []T, write func(*Writer, T)) {
	w.length(len(s))
	for _, v := range s {
		write(w, v)
	}
}

// writeNullableArray is writeArray for a field that may be null: nil.
func writeNullableArray[T any](w *Writer, s []T, write func(*Writer, T)) {
	if s == nil {
		w.length(null)
		return
	}
	writeArray(w, s, write)
}

// writeStructs writes an array of structs.
func writeStructs[T any, P part[T]](w *Writer, s []T, version int16) {
	w.length(len(s))
	for i := range s {
		P(&s[i]).encode(w, version)
	}
}

// writeNullableStructs is writeStructs for a field that may be null: nil.
func writeNullableStructs[T any, P part[T]](w *Writer, s []T, version int16) {
	if s == nil {
		w.length(null)
		return
	}
	writeStructs[T, P](w, s, version)
}

// writeNullableStruct writes a struct behind a byte that says whether it is null.
func writeNullableStruct[T any, P part[T]](w *Writer, t *T, version int16) {
	if t == nil {
		w.int8(-1)
		return
	}
	w.int8(1)
	P(t).encode(w, version)
}

// writeNullableTaggedStruct writes a struct behind an unsigned varint that says whether it is null.
func writeNullableTaggedStruct[T any, P part[T]](w *Writer, t *T, version int16) {
	if t == nil {
		w.uvarint(0)
		return
	}
	w.uvarint(1)
	P(t).encode(w, version)
}
