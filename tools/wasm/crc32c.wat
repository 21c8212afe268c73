;; Folds bytes into the last 499 of them without changing their CRC-32C.
;; Not here: the CRC itself. src/protocol/crc32c.ts copies the bytes in, piece by piece, and looks up the CRC of what is left.
;; How: with y = x^8, the polynomial divides 1 + y^47 + y^182 + y^191 + y^192 + y^499, so a byte vanishes when it is added to
;; those 307, 308, 317, 452 and 499 later (Chorba, arXiv 2412.16398). A pass forward gives every byte what reaches it. The
;; last 499 must not vanish: a pass backward, with zeros in front of them, takes out what they gave to each other.
;; Of the terms that reach less than 800 bytes, these share most. With 64 bytes a turn, all five come out of the same 13
;; vectors, loaded once and aligned; 307 and 499, 308 and 452 are shifted together, for they differ by a multiple of 16; and
;; nothing waits for the turns just before. A vector is loaded when it is needed, for there are registers for 16.
(module
  (memory (export "memory") 1)

  ;; From $at to $stop, in steps of 64 or -64 bytes; all three are multiples of 64. 512 bytes before are read.
  (func (export "fold") (param $at i32) (param $stop i32) (param $step i32)
    (local $from i32)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128) (local $v4 v128)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128) (local $a4 v128)
    (local $b0 v128) (local $b1 v128) (local $b2 v128) (local $b3 v128) (local $b4 v128)
    (local $w0 v128) (local $w1 v128)
    (local.set $from (i32.sub (local.get $at) (i32.const 512)))
    (loop $turn
      (local.set $v0 (v128.load offset=192 (local.get $from)))
      (local.set $a0 (v128.xor (local.get $v0) (v128.load (local.get $from))))
      (local.set $b0 (v128.xor (local.get $v0) (local.tee $w0 (v128.load offset=48 (local.get $from)))))
      (local.set $v1 (v128.load offset=208 (local.get $from)))
      (local.set $a1 (v128.xor (local.get $v1) (v128.load offset=16 (local.get $from))))
      (local.set $b1 (v128.xor (local.get $v1) (local.tee $w1 (v128.load offset=64 (local.get $from)))))
      (v128.store (local.get $at)
        (v128.xor
          (v128.xor
            (v128.load (local.get $at))
            (i8x16.shuffle 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 (local.get $a0) (local.get $a1)))
          (v128.xor
            (i8x16.shuffle 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 (local.get $b0) (local.get $b1))
            (i8x16.shuffle 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 (local.get $v0) (local.get $v1)))))
      (local.set $v2 (v128.load offset=224 (local.get $from)))
      (local.set $a2 (v128.xor (local.get $v2) (v128.load offset=32 (local.get $from))))
      (local.set $b2 (v128.xor (local.get $v2) (v128.load offset=80 (local.get $from))))
      (v128.store offset=16 (local.get $at)
        (v128.xor
          (v128.xor
            (v128.load offset=16 (local.get $at))
            (i8x16.shuffle 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 (local.get $a1) (local.get $a2)))
          (v128.xor
            (i8x16.shuffle 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 (local.get $b1) (local.get $b2))
            (i8x16.shuffle 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 (local.get $v1) (local.get $v2)))))
      (local.set $v3 (v128.load offset=240 (local.get $from)))
      (local.set $a3 (v128.xor (local.get $v3) (local.get $w0)))
      (local.set $b3 (v128.xor (local.get $v3) (v128.load offset=96 (local.get $from))))
      (v128.store offset=32 (local.get $at)
        (v128.xor
          (v128.xor
            (v128.load offset=32 (local.get $at))
            (i8x16.shuffle 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 (local.get $a2) (local.get $a3)))
          (v128.xor
            (i8x16.shuffle 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 (local.get $b2) (local.get $b3))
            (i8x16.shuffle 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 (local.get $v2) (local.get $v3)))))
      (local.set $v4 (v128.load offset=256 (local.get $from)))
      (local.set $a4 (v128.xor (local.get $v4) (local.get $w1)))
      (local.set $b4 (v128.xor (local.get $v4) (v128.load offset=112 (local.get $from))))
      (v128.store offset=48 (local.get $at)
        (v128.xor
          (v128.xor
            (v128.load offset=48 (local.get $at))
            (i8x16.shuffle 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 (local.get $a3) (local.get $a4)))
          (v128.xor
            (i8x16.shuffle 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 (local.get $b3) (local.get $b4))
            (i8x16.shuffle 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 (local.get $v3) (local.get $v4)))))
      (local.set $from (i32.add (local.get $from) (local.get $step)))
      (br_if $turn
        (i32.ne (local.tee $at (i32.add (local.get $at) (local.get $step))) (local.get $stop))))))
