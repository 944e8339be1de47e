prelude
/-! A small library for tests of proofs, for a Lean that has none of its own: the binary carries the elaborator, the
kernel and all tactics, but neither the types that these speak of nor the syntax by which they are called. Both are here,
as little of it as does. The names are those that the binary looks for; what it does not look for is named as usual.

`scripts/bare_lean.sh` compiles it as the module `Init`, so that every file has it without an import.

What works: terms with `fun`, `match`, `have`, `let`, `if`, `calc`, anonymous constructors and dot notation; `structure`,
`class`, `instance`, `inductive`
    (nested, mutual and indexed), recursion by structure and by `termination_by`; `notation`,
`infix`, `macro`, `macro_rules`, `syntax`, `local` ones too, which run as they do elsewhere: what a macro calls by
`@[extern]` is the binary's own, files and processes included, and `@[term_elab]` takes elaborators whose types a file
declares itself. Tactics: intro, intros, exact, refine, apply, constructor, left, right, exists, cases, induction, case,
rfl, eq_refl, rw, rewrite, simp (with the few lemmas that are here), unfold, change, show, have, let, exfalso,
contradiction, assumption, trivial, decide (`+kernel` too), native_decide
    (of a Bool that has to be computed), injection,
subst, generalize, revert, clear, specialize, rename, rename_i, calc, first, try, repeat, all_goals, any_goals, focus,
`<;>`, skip, done, fail, sorry, admit. Axioms: propext, Quot.sound, Classical.choice.

What does not: `do`, `#eval`, `run_cmd`, `elab`, `deriving`, arithmetic by omega, grind, linarith or norm_num, split,
obtain and rcases, exact?, membership, sets, strings beyond literals and their equality, characters, Int, arrays and their
literals, list literals of more than four elements. Nat has no division, remainder, gcd, logarithm or bitwise operations.
That is on purpose: the kernel computes with these names whoever defines them, and the corpus of proofs tries that. -/
set_option genCtorIdx false
set_option genInjectivity false
set_option genSizeOf false
set_option warn.classDefReducibility false
set_option autoImplicit false
set_option linter.defProp false
set_option linter.unusedVariables false
set_option bootstrap.inductiveCheckResultingUniverse false
universe u v w u₁ u₂ v₁


axiom lcErased : Type
axiom lcAny : Type
axiom lcVoid : Type
unsafe axiom lcProof {p : Prop} : p
unsafe axiom lcUnreachable {α : Sort u} : α

/-! ## Logic -/

@[inline] def id {α : Sort u} (a : α) : α := a
set_option checkBinderAnnotations false in
abbrev inferInstance {α : Sort u} [i : α] : α := i
@[reducible] def outParam (α : Sort u) : Sort u := α
@[reducible] def semiOutParam (α : Sort u) : Sort u := α
@[reducible] def optParam (α : Sort u) (default : α) : Sort u := α

inductive PUnit : Sort u where
  | unit : PUnit
abbrev Unit : Type := PUnit
@[match_pattern] abbrev Unit.unit : Unit := PUnit.unit

inductive True : Prop where
  | intro : True
inductive False : Prop
def Not (a : Prop) : Prop := a → False
@[macro_inline] def False.elim {C : Sort u} (h : False) : C := h.rec
@[macro_inline] def absurd {a : Prop} {b : Sort v} (h₁ : a) (h₂ : Not a) : b := (h₂ h₁).rec

inductive Eq {α : Sort u} : α → α → Prop where
  | refl (a : α) : Eq a a
@[simp] abbrev Eq.ndrec.{i, j} {α : Sort j} {a : α} {motive : α → Sort i} (m : motive a) {b : α} (h : Eq a b) :
    motive b :=
  Eq.rec m h
@[match_pattern] def rfl {α : Sort u} {a : α} : Eq a a := Eq.refl a
theorem Eq.subst {α : Sort u} {motive : α → Prop} {a b : α} (h₁ : Eq a b) (h₂ : motive a) : motive b := Eq.ndrec h₂ h₁
theorem Eq.symm {α : Sort u} {a b : α} (h : Eq a b) : Eq b a := h.rec (Eq.refl a)
theorem Eq.trans {α : Sort u} {a b c : α} (h₁ : Eq a b) (h₂ : Eq b c) : Eq a c := h₂.rec h₁
abbrev Eq.ndrec_symm.{i, j} {α : Sort j} {a : α} {motive : α → Sort i} (m : motive a) {b : α} (h : Eq b a) : motive b :=
  Eq.rec m (Eq.symm h)
@[macro_inline] def cast {α β : Sort u} (h : Eq α β) (a : α) : β := h.rec a
theorem congrArg {α : Sort u} {β : Sort v} {a₁ a₂ : α} (f : α → β) (h : Eq a₁ a₂) : Eq (f a₁) (f a₂) :=
  h.rec (Eq.refl (f a₁))
theorem congrFun' {α : Sort u} {β : Sort v} {f g : α → β} (h : Eq f g) (a : α) : Eq (f a) (g a) := h.rec (Eq.refl (f a))
theorem congr {α : Sort u} {β : Sort v} {f g : α → β} {a b : α} (h₁ : Eq f g) (h₂ : Eq a b) : Eq (f a) (g b) :=
  h₁.rec (congrArg f h₂)
theorem congrFun {α : Sort u} {β : α → Sort v} {f g : (x : α) → β x} (h : Eq f g) (a : α) : Eq (f a) (g a) :=
  h.rec (Eq.refl (f a))
@[macro_inline] def Eq.mp {α β : Sort u} (h : Eq α β) (a : α) : β := h.rec a
@[macro_inline] def Eq.mpr {α β : Sort u} (h : Eq α β) (b : β) : α := h.symm.rec b
@[reducible] def namedPattern {α : Sort u} (x a : α) (h : Eq x a) : α := a

init_quot
unsafe axiom Quot.lcInv {α : Sort u} {r : α → α → Prop} (q : Quot r) : α

inductive HEq {α : Sort u} : α → {β : Sort u} → β → Prop where
  | refl (a : α) : HEq a a
@[match_pattern] protected def HEq.rfl {α : Sort u} {a : α} : HEq a a := HEq.refl a
theorem eq_of_heq {α : Sort u} {a b : α} (h : HEq a b) : Eq a b :=
  have moved : (β : Sort u) → (c : β) → HEq a c → (e : Eq α β) → Eq (cast e a) c :=
    fun _ _ g => g.rec (fun _ => rfl)
  moved α b h rfl
theorem heq_of_eq {α : Sort u} {a b : α} (h : Eq a b) : HEq a b := h.rec (HEq.refl a)
structure PProd (α : Sort u) (β : Sort v) where
  fst : α
  snd : β
structure Prod (α : Type u) (β : Type v) where
  fst : α
  snd : β
inductive Nat where
  | zero : Nat
  | succ (n : Nat) : Nat
inductive Bool : Type where
  | false : Bool
  | true : Bool
export Bool (false true)
axiom sorryAx (α : Sort u) (synthetic : Bool) : α

structure And (a b : Prop) : Prop where
  intro ::
  left : a
  right : b
inductive Or (a b : Prop) : Prop where
  | inl (h : a) : Or a b
  | inr (h : b) : Or a b
structure Iff (a b : Prop) : Prop where
  intro ::
  mp : a → b
  mpr : b → a
inductive Exists {α : Sort u} (p : α → Prop) : Prop where
  | intro (w : α) (h : p w) : Exists p
@[reducible] def Ne {α : Sort u} (a b : α) : Prop := Not (Eq a b)
theorem And.symm {a b : Prop} (h : And a b) : And b a := ⟨h.right, h.left⟩
theorem Or.elim {a b c : Prop} (h : Or a b) (left : a → c) (right : b → c) : c := h.rec left right
theorem Or.symm {a b : Prop} (h : Or a b) : Or b a := h.rec Or.inr Or.inl
theorem Exists.elim {α : Sort u} {p : α → Prop} {b : Prop} (h : Exists p) (f : (a : α) → p a → b) : b := h.rec f
theorem Iff.refl (a : Prop) : Iff a a := ⟨id, id⟩
theorem Iff.rfl {a : Prop} : Iff a a := Iff.refl a
theorem Iff.symm {a b : Prop} (h : Iff a b) : Iff b a := ⟨h.mpr, h.mp⟩
theorem Iff.trans {a b c : Prop} (h : Iff a b) (g : Iff b c) : Iff a c :=
  ⟨fun x => g.mp (h.mp x), fun x => h.mpr (g.mpr x)⟩

axiom propext {a b : Prop} : Iff a b → Eq a b
axiom Quot.sound : ∀ {α : Sort u} {r : α → α → Prop} {a b : α}, r a b → Eq (Quot.mk r a) (Quot.mk r b)

theorem funext {α : Sort u} {β : α → Sort v} {f g : (x : α) → β x} (h : (x : α) → Eq (f x) (g x)) : Eq f g :=
  let apart (p q : (x : α) → β x) : Prop := (x : α) → Eq (p x) (q x)
  let app (p : Quot apart) (x : α) : β x := Quot.lift (fun (q : (x : α) → β x) => q x) (fun _ _ e => e x) p
  congrArg (f := app) (Quot.sound (r := apart) h)

class inductive Nonempty (α : Sort u) : Prop where
  | intro (val : α) : Nonempty α
class Inhabited (α : Sort u) where
  default : α
export Inhabited (default)
axiom Classical.choice {α : Sort u} : Nonempty α → α
instance {α : Sort u} [Inhabited α] : Nonempty α := ⟨default⟩

/-! ## Data -/

class OfNat (α : Type u) (_ : Nat) where
  ofNat : α
@[default_instance 100, instance 100] def instOfNatNat (n : Nat) : OfNat Nat n := ⟨n⟩
structure MProd (α β : Type u) where
  fst : α
  snd : β
class inductive Decidable (p : Prop) where
  | isFalse (h : Not p) : Decidable p
  | isTrue (h : p) : Decidable p
@[inline_if_reduce, nospecialize] def Decidable.decide (p : Prop) [h : Decidable p] : Bool :=
  h.casesOn (fun _ => false) (fun _ => true)
export Decidable (isTrue isFalse decide)
abbrev DecidablePred {α : Sort u} (r : α → Prop) := (a : α) → Decidable (r a)
abbrev DecidableRel {α : Sort u} {β : Sort v} (r : α → β → Prop) := (a : α) → (b : β) → Decidable (r a b)
abbrev DecidableEq (α : Sort u) := (a b : α) → Decidable (Eq a b)
@[macro_inline] def ite {α : Sort u} (c : Prop) [h : Decidable c] (t e : α) : α :=
  match h with
  | isTrue _ => t
  | isFalse _ => e
@[macro_inline] def dite {α : Sort u} (c : Prop) [h : Decidable c] (t : c → α) (e : Not c → α) : α :=
  match h with
  | isTrue hc => t hc
  | isFalse hc => e hc
@[macro_inline] def cond {α : Sort u} (c : Bool) (x y : α) : α :=
  match c with
  | true => x
  | false => y

class BEq (α : Type u) where
  beq : α → α → Bool
class LE (α : Type u) where
  le : α → α → Prop
class LT (α : Type u) where
  lt : α → α → Prop
class Add (α : Type u) where
  add : α → α → α
class Sub (α : Type u) where
  sub : α → α → α
class Mul (α : Type u) where
  mul : α → α → α
class Div (α : Type u) where
  div : α → α → α
class Mod (α : Type u) where
  mod : α → α → α
class Neg (α : Type u) where
  neg : α → α
class Append (α : Type u) where
  append : α → α → α
class Pow (α : Type u) (β : Type v) where
  pow : α → β → α
class NatPow (α : Type u) where
  pow : α → Nat → α
class HAdd (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hAdd : α → β → γ
class HSub (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hSub : α → β → γ
class HMul (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hMul : α → β → γ
class HDiv (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hDiv : α → β → γ
class HMod (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hMod : α → β → γ
class HPow (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hPow : α → β → γ
class HAppend (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hAppend : α → β → γ
@[default_instance, reducible] instance instHAdd {α : Type u} [Add α] : HAdd α α α := ⟨Add.add⟩
@[default_instance, reducible] instance instHSub {α : Type u} [Sub α] : HSub α α α := ⟨Sub.sub⟩
@[default_instance, reducible] instance instHMul {α : Type u} [Mul α] : HMul α α α := ⟨Mul.mul⟩
@[default_instance, reducible] instance instHDiv {α : Type u} [Div α] : HDiv α α α := ⟨Div.div⟩
@[default_instance, reducible] instance instHMod {α : Type u} [Mod α] : HMod α α α := ⟨Mod.mod⟩
@[default_instance, reducible] instance instHPow {α : Type u} {β : Type v} [Pow α β] : HPow α β α := ⟨Pow.pow⟩
@[reducible] instance instPowNat {α : Type u} [NatPow α] : Pow α Nat := ⟨NatPow.pow⟩
@[default_instance, reducible] instance instHAppendOfAppend {α : Type u} [Append α] : HAppend α α α := ⟨Append.append⟩
@[reducible] def GE.ge {α : Type u} [LE α] (a b : α) : Prop := LE.le b a
@[reducible] def GT.gt {α : Type u} [LT α] (a b : α) : Prop := LT.lt b a

@[extern "lean_nat_add"] protected def Nat.add : Nat → Nat → Nat
  | n, Nat.zero => n
  | n, Nat.succ m => Nat.succ (Nat.add n m)
@[extern "lean_nat_pred"] def Nat.pred : Nat → Nat
  | Nat.zero => Nat.zero
  | Nat.succ n => n
@[extern "lean_nat_sub"] protected def Nat.sub : Nat → Nat → Nat
  | n, Nat.zero => n
  | n, Nat.succ m => Nat.pred (Nat.sub n m)
@[extern "lean_nat_mul"] protected def Nat.mul : Nat → Nat → Nat
  | _, Nat.zero => Nat.zero
  | n, Nat.succ m => Nat.add (Nat.mul n m) n
@[extern "lean_nat_pow"] protected def Nat.pow (n : Nat) : Nat → Nat
  | Nat.zero => 1
  | Nat.succ m => Nat.mul (Nat.pow n m) n
@[extern "lean_nat_dec_eq"] def Nat.beq : Nat → Nat → Bool
  | Nat.zero, Nat.zero => true
  | Nat.zero, Nat.succ _ => false
  | Nat.succ _, Nat.zero => false
  | Nat.succ n, Nat.succ m => Nat.beq n m
@[extern "lean_nat_dec_le"] def Nat.ble : Nat → Nat → Bool
  | Nat.zero, _ => true
  | Nat.succ _, Nat.zero => false
  | Nat.succ n, Nat.succ m => Nat.ble n m
inductive Nat.le (n : Nat) : Nat → Prop where
  | refl : Nat.le n n
  | step {m : Nat} : Nat.le n m → Nat.le n (Nat.succ m)
def Nat.lt (n m : Nat) : Prop := Nat.le (Nat.succ n) m
attribute [match_pattern] Nat.add Add.add HAdd.hAdd
@[reducible] instance instAddNat : Add Nat := ⟨Nat.add⟩
@[reducible] instance instSubNat : Sub Nat := ⟨Nat.sub⟩
@[reducible] instance instMulNat : Mul Nat := ⟨Nat.mul⟩
@[reducible] instance instNatPowNat : NatPow Nat := ⟨Nat.pow⟩
@[reducible] instance instLENat : LE Nat := ⟨Nat.le⟩
@[reducible] instance instLTNat : LT Nat := ⟨Nat.lt⟩
@[reducible] instance instBEqNat : BEq Nat := ⟨Nat.beq⟩

@[macro_inline] def Bool.or (x y : Bool) : Bool :=
  match x with
  | true => true
  | false => y
@[macro_inline] def Bool.and (x y : Bool) : Bool :=
  match x with
  | true => y
  | false => false
def Bool.not : Bool → Bool
  | true => false
  | false => true
export Bool (or and not)
theorem true_ne_false (h : Eq true false) : False :=
  @Eq.ndrec Bool true (fun b => cond b True False) True.intro false h
def Bool.decEq (a b : Bool) : Decidable (Eq a b) :=
  match a, b with
  | true, true => isTrue rfl
  | false, false => isTrue rfl
  | true, false => isFalse (fun h => true_ne_false h)
  | false, true => isFalse (fun h => true_ne_false h.symm)
instance : DecidableEq Bool := Bool.decEq
@[inline] def Function.const {α : Sort u} (β : Sort v) (a : α) : β → α := fun _ => a
@[inline] def Function.comp {α : Sort u} {β : Sort v} {γ : Sort w} (f : β → γ) (g : α → β) : α → γ := fun x => f (g x)

/-! ### Coercions -/

class Coe (α : semiOutParam (Sort u)) (β : Sort v) where
  coe : α → β
class CoeOut (α : Sort u) (β : semiOutParam (Sort v)) where
  coe : α → β
class CoeDep (α : Sort u) (_ : α) (β : Sort v) where
  coe : β
class CoeT (α : Sort u) (_ : α) (β : Sort v) where
  coe : β
class CoeFun (α : Sort u) (γ : outParam (α → Sort v)) where
  coe : (f : α) → γ f
class CoeSort (α : Sort u) (β : outParam (Sort v)) where
  coe : α → β
attribute [coe_decl] Coe.coe CoeOut.coe CoeDep.coe CoeT.coe CoeFun.coe CoeSort.coe
@[reducible] instance {α : Sort u} {β : Sort v} [Coe α β] (a : α) : CoeT α a β := ⟨Coe.coe a⟩
@[reducible] instance {α : Sort u} {β : Sort v} [CoeOut α β] (a : α) : CoeT α a β := ⟨CoeOut.coe a⟩
@[reducible] instance {α : Sort u} {β : Sort v} (a : α) [CoeDep α a β] : CoeT α a β := ⟨CoeDep.coe a⟩
@[reducible] instance boolToProp : Coe Bool Prop := ⟨fun b => Eq b true⟩
@[reducible] instance boolToSort : CoeSort Bool Prop := ⟨fun b => Eq b true⟩

/-! ### Decisions about natural numbers -/

theorem Nat.eq_of_beq : (n m : Nat) → Eq (Nat.beq n m) true → Eq n m
  | Nat.zero, Nat.zero, _ => rfl
  | Nat.zero, Nat.succ _, h => (true_ne_false h.symm).elim
  | Nat.succ _, Nat.zero, h => (true_ne_false h.symm).elim
  | Nat.succ n, Nat.succ m, h => congrArg Nat.succ (Nat.eq_of_beq n m h)
theorem Nat.beq_self : (n : Nat) → Eq (Nat.beq n n) true
  | Nat.zero => rfl
  | Nat.succ n => Nat.beq_self n
theorem Nat.le_of_ble : (n m : Nat) → Eq (Nat.ble n m) true → Nat.le n m
  | Nat.zero, m, _ => m.rec Nat.le.refl (fun _ h => Nat.le.step h)
  | Nat.succ _, Nat.zero, h => (true_ne_false h.symm).elim
  | Nat.succ n, Nat.succ m, h => (Nat.le_of_ble n m h).rec Nat.le.refl (fun _ h => Nat.le.step h)
theorem Nat.ble_self : (n : Nat) → Eq (Nat.ble n n) true
  | Nat.zero => rfl
  | Nat.succ n => Nat.ble_self n
theorem Nat.ble_succ : (n m : Nat) → Eq (Nat.ble n m) true → Eq (Nat.ble n (Nat.succ m)) true
  | Nat.zero, _, _ => rfl
  | Nat.succ _, Nat.zero, h => (true_ne_false h.symm).elim
  | Nat.succ n, Nat.succ m, h => Nat.ble_succ n m h
theorem Nat.ble_of_le {n m : Nat} (h : Nat.le n m) : Eq (Nat.ble n m) true :=
  h.rec (Nat.ble_self n) (fun {m} _ h => Nat.ble_succ n m h)
@[extern "lean_nat_dec_eq"] def Nat.decEq (n m : Nat) : Decidable (Eq n m) :=
  match h : Nat.beq n m with
  | true => isTrue (Nat.eq_of_beq n m h)
  | false => isFalse fun e => true_ne_false ((Nat.beq_self n).symm.trans (Eq.trans (congrArg (Nat.beq n) e) h))
@[extern "lean_nat_dec_le"] def Nat.decLe (n m : Nat) : Decidable (LE.le n m) :=
  match h : Nat.ble n m with
  | true => isTrue (Nat.le_of_ble n m h)
  | false => isFalse fun e => true_ne_false ((Nat.ble_of_le e).symm.trans h)
@[extern "lean_nat_dec_lt"] def Nat.decLt (n m : Nat) : Decidable (LT.lt n m) := Nat.decLe (Nat.succ n) m
def Nat.ctorIdx (n : Nat) : Nat := n.casesOn 0 (fun _ => 1)
def Bool.ctorIdx (b : Bool) : Nat := b.casesOn 0 1
theorem noConfusion_of_Nat {α : Sort u} (f : α → Nat) {a b : α} (h : Eq a b) :
    (Nat.beq (f a) (f b)).rec (motive := fun _ => Prop) False True :=
  @Eq.ndrec α a (fun b => (Nat.beq (f a) (f b)).rec (motive := fun _ => Prop) False True)
    (@Eq.ndrec Bool true (fun t => t.rec (motive := fun _ => Prop) False True) True.intro
      (Nat.beq (f a) (f a)) (Nat.beq_self (f a)).symm) b h
instance : DecidableEq Nat := Nat.decEq
instance (n m : Nat) : Decidable (LE.le n m) := Nat.decLe n m
instance (n m : Nat) : Decidable (LT.lt n m) := Nat.decLt n m
instance : Decidable True := isTrue True.intro
instance : Decidable False := isFalse id
instance {p q : Prop} [hp : Decidable p] [hq : Decidable q] : Decidable (And p q) :=
  match hp, hq with
  | isTrue hp, isTrue hq => isTrue ⟨hp, hq⟩
  | isFalse hp, _ => isFalse fun h => hp h.left
  | _, isFalse hq => isFalse fun h => hq h.right
instance {p q : Prop} [hp : Decidable p] [hq : Decidable q] : Decidable (Or p q) :=
  match hp, hq with
  | isTrue hp, _ => isTrue (.inl hp)
  | _, isTrue hq => isTrue (.inr hq)
  | isFalse hp, isFalse hq => isFalse fun h => h.elim hp hq
instance {p : Prop} [hp : Decidable p] : Decidable (Not p) :=
  match hp with
  | isTrue hp => isFalse fun h => h hp
  | isFalse hp => isTrue hp
instance {p q : Prop} [hp : Decidable p] [hq : Decidable q] : Decidable (p → q) :=
  match hp, hq with
  | _, isTrue hq => isTrue fun _ => hq
  | isFalse hp, _ => isTrue fun h => absurd h hp
  | isTrue hp, isFalse hq => isFalse fun h => hq (h hp)
theorem of_decide_eq_true {p : Prop} [h : Decidable p] (e : Eq (decide p) true) : p :=
  match h, e with
  | isTrue h, _ => h
  | isFalse _, e => (true_ne_false (Eq.symm e)).elim
theorem of_decide_eq_false {p : Prop} [h : Decidable p] (e : Eq (decide p) false) : Not p :=
  match h, e with
  | isTrue _, e => (true_ne_false e).elim
  | isFalse h, _ => h
theorem decide_eq_true {p : Prop} [h : Decidable p] (hp : p) : Eq (decide p) true :=
  match h with
  | isTrue _ => rfl
  | isFalse h => (h hp).elim

/-! ### Sizes, which inductive types of users get -/

class SizeOf (α : Sort u) where
  sizeOf : α → Nat
export SizeOf (sizeOf)
protected def default.sizeOf (α : Sort u) : α → Nat := fun _ => 0
instance instSizeOfDefault (α : Sort u) : SizeOf α := ⟨default.sizeOf α⟩
@[simp] theorem sizeOf_default {α : Sort u} (a : α) : Eq (sizeOf a) 0 := rfl
instance instSizeOfNat : SizeOf Nat := ⟨fun n => n⟩
instance instSizeOfBool : SizeOf Bool := ⟨fun _ => 1⟩
@[simp] theorem Nat.sizeOf_eq (n : Nat) : Eq (sizeOf n) n := rfl

/-! ## More data -/

set_option genSizeOf true
set_option genInjectivity true
set_option genCtorIdx true

structure PULift.{r, s} (α : Sort s) : Sort (max s r 1) where
  up ::
  down : α
structure Sigma {α : Type u} (β : α → Type v) where
  fst : α
  snd : β fst
structure PSigma {α : Sort u} (β : α → Sort v) where
  fst : α
  snd : β fst
structure Subtype {α : Sort u} (p : α → Prop) where
  val : α
  property : p val
inductive Sum (α : Type u) (β : Type v) where
  | inl (val : α) : Sum α β
  | inr (val : β) : Sum α β
inductive PSum (α : Sort u) (β : Sort v) where
  | inl (val : α) : PSum α β
  | inr (val : β) : PSum α β
structure ULift.{r, s} (α : Type s) : Type (max s r) where
  up ::
  down : α
structure PLift (α : Sort u) : Type u where
  up ::
  down : α
inductive Empty : Type
inductive PEmpty : Sort u
inductive Option (α : Type u) where
  | none : Option α
  | some (val : α) : Option α
export Option (none some)
inductive List (α : Type u) where
  | nil : List α
  | cons (head : α) (tail : List α) : List α
structure Array (α : Type u) where
  mk ::
  toList : List α
structure Char where
  val : Nat
def Char.ofNat (n : Nat) : Char := ⟨n⟩
inductive String where
  | ofList (data : List Char)


/-- Marks what a definition by well-founded recursion may recurse on. -/
def wfParam {α : Sort u} (a : α) : α := a

/-! ## Syntax: what `syntax`, `notation` and `macro` need

The functions are those of the binary itself: a body here is there only because a definition has one. -/

structure String.Pos.Raw where
  byteIdx : Nat
structure Substring.Raw where
  str : String
  startPos : String.Pos.Raw
  stopPos : String.Pos.Raw
instance : Inhabited Bool := ⟨false⟩
instance : Inhabited Nat := ⟨Nat.zero⟩
instance : Inhabited String := ⟨""⟩
instance : Inhabited Substring.Raw := ⟨⟨"", ⟨0⟩, ⟨0⟩⟩⟩
instance {α : Type u} : Inhabited (List α) := ⟨List.nil⟩
instance {α : Type u} : Inhabited (Option α) := ⟨none⟩
instance {α : Type u} : Inhabited (Array α) := ⟨⟨List.nil⟩⟩
@[extern "lean_substring"] opaque String.toRawSubstring' (s : String) : Substring.Raw
@[extern "lean_array_push"] opaque Array.push {α : Type u} (a : Array α) (v : α) : Array α
@[extern "lean_mk_empty_array_with_capacity"] opaque Array.mkEmpty {α : Type u} (c : Nat) : Array α
@[extern "lean_array_size"] opaque Array.size {α : Type u} (a : Array α) : Nat
@[extern "lean_array_append"] opaque Array.append {α : Type u} (a b : Array α) : Array α
def Array.appendCore {α : Type u} (a b : Array α) : Array α := Array.append a b
def Option.map {α : Type u} {β : Type v} (f : α → β) : Option α → Option β
  | none => none
  | some a => some (f a)
def Array.empty {α : Type u} : Array α := Array.mkEmpty 0
def Array.mkArray0 {α : Type u} : Array α := Array.mkEmpty 0
def Array.mkArray1 {α : Type u} (a : α) : Array α := (Array.mkEmpty 1).push a
def Array.mkArray2 {α : Type u} (a b : α) : Array α := ((Array.mkEmpty 2).push a).push b
def Array.mkArray3 {α : Type u} (a b c : α) : Array α := (Array.mkArray2 a b).push c
def Array.mkArray4 {α : Type u} (a b c d : α) : Array α := (Array.mkArray3 a b c).push d
def Array.mkArray5 {α : Type u} (a b c d e : α) : Array α := (Array.mkArray4 a b c d).push e
def Array.mkArray6 {α : Type u} (a b c d e f : α) : Array α := (Array.mkArray5 a b c d e).push f
def Array.mkArray7 {α : Type u} (a b c d e f g : α) : Array α := (Array.mkArray6 a b c d e f).push g
def Array.mkArray8 {α : Type u} (a b c d e f g h : α) : Array α := (Array.mkArray7 a b c d e f g).push h

namespace Lean

inductive Name where
  | anonymous : Name
  | str (pre : Name) (str : String)
  | num (pre : Name) (i : Nat)
instance : Inhabited Name := ⟨Name.anonymous⟩
@[extern "lean_name"] def Name.mkSimple (s : String) : Name := .str .anonymous s
@[extern "lean_name"] def Name.str._override (p : Name) (s : String) : Name := .str p s
@[extern "lean_name"] def Name.num._override (p : Name) (i : Nat) : Name := .num p i
def Name.mkStr (p : Name) (s : String) : Name := Name.str._override p s
def Name.mkNum (p : Name) (i : Nat) : Name := Name.num._override p i
attribute [implemented_by Name.str._override] Name.str
attribute [implemented_by Name.num._override] Name.num
@[extern "lean_name"] def Name.mkStr1 (a : String) : Name := .str .anonymous a
@[extern "lean_name"] def Name.mkStr2 (a b : String) : Name := .str (mkStr1 a) b
@[extern "lean_name"] def Name.mkStr3 (a b c : String) : Name := .str (mkStr2 a b) c
@[extern "lean_name"] def Name.mkStr4 (a b c d : String) : Name := .str (mkStr3 a b c) d
@[extern "lean_name"] def Name.mkStr5 (a b c d e : String) : Name := .str (mkStr4 a b c d) e
@[extern "lean_name"] def Name.mkStr6 (a b c d e f : String) : Name := .str (mkStr5 a b c d e) f
@[extern "lean_name"] def Name.mkStr7 (a b c d e f g : String) : Name := .str (mkStr6 a b c d e f) g
@[extern "lean_name"] def Name.mkStr8 (a b c d e f g h : String) : Name := .str (mkStr7 a b c d e f g) h

abbrev SyntaxNodeKind := Name
abbrev SyntaxNodeKinds := List SyntaxNodeKind
@[reducible] instance : Coe SyntaxNodeKind SyntaxNodeKinds := ⟨fun k => List.cons k List.nil⟩
abbrev MacroScope := Nat
abbrev choiceKind : SyntaxNodeKind := `choice
abbrev nullKind : SyntaxNodeKind := `null
abbrev groupKind : SyntaxNodeKind := `group
abbrev identKind : SyntaxNodeKind := `ident
abbrev strLitKind : SyntaxNodeKind := `str
abbrev charLitKind : SyntaxNodeKind := `char
abbrev numLitKind : SyntaxNodeKind := `num
abbrev scientificLitKind : SyntaxNodeKind := `scientific
abbrev nameLitKind : SyntaxNodeKind := `name
abbrev fieldIdxKind : SyntaxNodeKind := `fieldIdx
abbrev hygieneInfoKind : SyntaxNodeKind := `hygieneInfo
abbrev interpolatedStrLitKind : SyntaxNodeKind := `interpolatedStrLitKind
abbrev interpolatedStrKind : SyntaxNodeKind := `interpolatedStrKind

inductive SourceInfo where
  | original (leading : Substring.Raw) (pos : String.Pos.Raw) (trailing : Substring.Raw) (endPos : String.Pos.Raw)
  | synthetic (pos : String.Pos.Raw) (endPos : String.Pos.Raw) (canonical : optParam Bool false)
  | none
instance : Inhabited SourceInfo := ⟨SourceInfo.none⟩
inductive Syntax.Preresolved where
  | namespace (ns : Name)
  | decl (n : Name) (fields : List String)
inductive Syntax where
  | missing : Syntax
  | node (info : SourceInfo) (kind : SyntaxNodeKind) (args : Array Syntax) : Syntax
  | atom (info : SourceInfo) (val : String) : Syntax
  | ident (info : SourceInfo) (rawVal : Substring.Raw) (val : Name) (preresolved : List Syntax.Preresolved) : Syntax
instance : Inhabited Syntax := ⟨Syntax.missing⟩
def mkAtom (val : String) : Syntax := .atom .none val
structure TSyntax (ks : SyntaxNodeKinds) where
  raw : Syntax
abbrev TSyntaxArray (ks : SyntaxNodeKinds) := Array (TSyntax ks)
abbrev Term := TSyntax (.cons `term .nil)
@[reducible] instance {ks : SyntaxNodeKinds} : CoeOut (TSyntax ks) Syntax := ⟨fun s => s.raw⟩
abbrev Ident := TSyntax (.cons `ident .nil)
@[reducible] instance : Coe Ident Term := ⟨fun s => ⟨s.raw⟩⟩
@[reducible] instance : Coe Ident (TSyntax (.cons `Lean.Parser.Term.funBinder .nil)) := ⟨fun s => ⟨s.raw⟩⟩
@[reducible] instance : Coe Term (TSyntax (.cons `Lean.Parser.Term.funBinder .nil)) := ⟨fun s => ⟨s.raw⟩⟩
abbrev Command := TSyntax (.cons `command .nil)

namespace Syntax
@[extern "lean_syntax"] opaque isOfKind (stx : Syntax) (k : SyntaxNodeKind) : Bool
@[extern "lean_syntax"] opaque isNodeOf (stx : Syntax) (k : SyntaxNodeKind) (n : Nat) : Bool
@[extern "lean_syntax"] opaque getArg (stx : Syntax) (i : Nat) : Syntax
@[extern "lean_syntax"] opaque getArgs (stx : Syntax) : Array Syntax
@[extern "lean_syntax"] opaque getNumArgs (stx : Syntax) : Nat
@[extern "lean_syntax"] opaque getOptional? (stx : Syntax) : Option Syntax
@[extern "lean_syntax"] opaque getId (stx : Syntax) : Name
@[extern "lean_syntax"] opaque matchesNull (stx : Syntax) (n : Nat) : Bool
@[extern "lean_syntax"] opaque matchesIdent (stx : Syntax) (id : Name) : Bool
@[extern "lean_syntax"] opaque matchesLit (stx : Syntax) (k : SyntaxNodeKind) (val : String) : Bool
def node1 (info : SourceInfo) (kind : SyntaxNodeKind) (a : Syntax) : Syntax := .node info kind (Array.mkArray1 a)
def node2 (info : SourceInfo) (kind : SyntaxNodeKind) (a b : Syntax) : Syntax := .node info kind (Array.mkArray2 a b)
def node3 (info : SourceInfo) (kind : SyntaxNodeKind) (a b c : Syntax) : Syntax :=
  .node info kind (Array.mkArray3 a b c)
def node4 (info : SourceInfo) (kind : SyntaxNodeKind) (a b c d : Syntax) : Syntax :=
  .node info kind (Array.mkArray4 a b c d)
def node5 (info : SourceInfo) (kind : SyntaxNodeKind) (a b c d e : Syntax) : Syntax :=
  .node info kind (Array.mkArray5 a b c d e)
def node6 (info : SourceInfo) (kind : SyntaxNodeKind) (a b c d e f : Syntax) : Syntax :=
  .node info kind (Array.mkArray6 a b c d e f)
def node7 (info : SourceInfo) (kind : SyntaxNodeKind) (a b c d e f g : Syntax) : Syntax :=
  .node info kind (Array.mkArray7 a b c d e f g)
def node8 (info : SourceInfo) (kind : SyntaxNodeKind) (a b c d e f g h : Syntax) : Syntax :=
  .node info kind (Array.mkArray8 a b c d e f g h)
end Syntax

@[extern "lean_info"] opaque SourceInfo.fromRef (ref : Syntax) (canonical : Bool) : SourceInfo
@[extern "lean_scope"] opaque addMacroScope (mainModule : Name) (n : Name) (scp : MacroScope) : Name
@[extern "lean_ref"] opaque replaceRef (ref : Syntax) (oldRef : Syntax) : Syntax

inductive ParserDescr where
  | const (name : Name)
  | unary (name : Name) (p : ParserDescr)
  | binary (name : Name) (p₁ p₂ : ParserDescr)
  | node (kind : SyntaxNodeKind) (prec : Nat) (p : ParserDescr)
  | trailingNode (kind : SyntaxNodeKind) (prec lhsPrec : Nat) (p : ParserDescr)
  | symbol (val : String)
  | nonReservedSymbol (val : String) (includeIdent : Bool)
  | cat (catName : Name) (rbp : Nat)
  | parser (declName : Name)
  | nodeWithAntiquot (name : String) (kind : SyntaxNodeKind) (p : ParserDescr)
  | sepBy (p : ParserDescr) (sep : String) (psep : ParserDescr) (allowTrailingSep : optParam Bool false)
  | sepBy1 (p : ParserDescr) (sep : String) (psep : ParserDescr) (allowTrailingSep : optParam Bool false)
  | unicodeSymbol (val asciiVal : String) (preserveForPP : Bool)
abbrev TrailingParserDescr := ParserDescr

end Lean
@[reducible] def autoParam (α : Sort u) (tactic : Lean.Syntax) : Sort u := α

/-! ### Monads -/

class Functor (f : Type u → Type v) where
  map : {α β : Type u} → (α → β) → f α → f β
class Pure (f : Type u → Type v) where
  pure {α : Type u} : α → f α
export Pure (pure)
class Bind (m : Type u → Type v) where
  bind : {α β : Type u} → m α → (α → m β) → m β
export Bind (bind)
class Monad (m : Type u → Type v) : Type (max (u + 1) v) extends Pure m, Bind m
class MonadExceptOf (ε : semiOutParam (Type u)) (m : Type v → Type w) where
  throw {α : Type v} : ε → m α
  tryCatch {α : Type v} (body : m α) (handler : ε → m α) : m α
class MonadExcept (ε : outParam (Type u)) (m : Type v → Type w) where
  throw {α : Type v} : ε → m α
  tryCatch {α : Type v} (body : m α) (handler : ε → m α) : m α
export MonadExcept (throw)
@[reducible] instance {ε : Type u} {m : Type v → Type w} [MonadExceptOf ε m] : MonadExcept ε m :=
  ⟨MonadExceptOf.throw, MonadExceptOf.tryCatch⟩

inductive EStateM.Result (ε σ α : Type u) : Type u where
  | ok : α → σ → Result ε σ α
  | error : ε → σ → Result ε σ α
def EStateM (ε σ α : Type u) := σ → EStateM.Result ε σ α
def ReaderT (ρ : Type u) (m : Type u → Type v) (α : Type u) : Type (max u v) := ρ → m α
/-- What a macro and an unexpander are at run time: a function of its surroundings and a state. -/
def Lean.Run (ρ ε σ α : Type u) : Type u := ρ → σ → EStateM.Result ε σ α
instance {ρ ε σ : Type u} : Monad (Lean.Run ρ ε σ) where
  pure a := fun _ s => .ok a s
  bind x f := fun r s =>
    match x r s with
    | .ok a s => f a r s
    | .error e s => .error e s
instance {ρ ε σ : Type u} : Functor (Lean.Run ρ ε σ) where
  map f x := bind x fun a => pure (f a)
instance {ρ ε σ : Type u} : MonadExceptOf ε (Lean.Run ρ ε σ) where
  throw e := fun _ s => .error e s
  tryCatch x f := fun r s =>
    match x r s with
    | .ok a s => .ok a s
    | .error e s => f e r s

namespace Lean
class MonadRef (m : Type → Type) where
  getRef : m Syntax
  withRef {α : Type} : Syntax → m α → m α
export MonadRef (getRef)
@[inline] def withRef {m : Type → Type} [Monad m] [MonadRef m] {α : Type} (ref : Syntax) (x : m α) : m α :=
  bind getRef fun old => MonadRef.withRef (replaceRef ref old) x
def MonadRef.mkInfoFromRefPos {m : Type → Type} [Monad m] [MonadRef m] : m SourceInfo :=
  bind getRef fun ref => pure (SourceInfo.fromRef ref false)
class MonadQuotation (m : Type → Type) extends MonadRef m where
  getCurrMacroScope : m MacroScope
  getContext : m Name
  withFreshMacroScope {α : Type} : m α → m α
export MonadQuotation (getCurrMacroScope withFreshMacroScope)

namespace Macro
structure Context where
  methods : Unit
  quotContext : Name
  currMacroScope : MacroScope
  currRecDepth : Nat
  maxRecDepth : Nat
  ref : Syntax
inductive Exception where
  | error : Syntax → String → Exception
  | unsupportedSyntax : Exception
structure State where
  macroScope : MacroScope
  traceMsgs : List (Prod Name String)
  expandedMacroDecls : List Name
end Macro
abbrev MacroM (α : Type) : Type := Run Macro.Context Macro.Exception Macro.State α
abbrev Macro := Syntax → MacroM Syntax
namespace Macro
instance : MonadQuotation MacroM where
  getRef := fun c s => .ok c.ref s
  withRef ref x := fun c s => x ⟨c.methods, c.quotContext, c.currMacroScope, c.currRecDepth, c.maxRecDepth, ref⟩ s
  getCurrMacroScope := fun c s => .ok c.currMacroScope s
  getContext := fun c s => .ok c.quotContext s
  withFreshMacroScope x := fun c s =>
    x ⟨c.methods, c.quotContext, s.macroScope, c.currRecDepth, c.maxRecDepth, c.ref⟩
      ⟨Nat.add s.macroScope 1, s.traceMsgs, s.expandedMacroDecls⟩
def throwUnsupported {α : Type} : MacroM α := fun _ s => .error .unsupportedSyntax s
def throwError {α : Type} (msg : String) : MacroM α := fun c s => .error (.error c.ref msg) s
end Macro
export Macro (throwUnsupported)

namespace PrettyPrinter
abbrev UnexpandM (α : Type) : Type := Run Syntax Unit Unit α
abbrev Unexpander := Syntax → UnexpandM Syntax
instance : MonadQuotation UnexpandM where
  getRef := fun c s => .ok c s
  withRef ref x := fun _ s => x ref s
  getCurrMacroScope := pure 0
  getContext := pure `_fakeMod
  withFreshMacroScope x := x
end PrettyPrinter

end Lean

/-! ### Precedences, repetition in syntax -/

namespace Lean
macro "max" : prec => `(prec| 1024)
macro "arg" : prec => `(prec| 1023)
macro "lead" : prec => `(prec| 1022)
macro "min" : prec => `(prec| 10)
macro:1023 x:stx:1024 "*" : stx => `(stx| many($x))
macro:1023 x:stx:1024 "+" : stx => `(stx| many1($x))
macro:1023 x:stx:1024 "?" : stx => `(stx| optional($x))
macro:2 x:stx:2 " <|> " y:stx:1 : stx => `(stx| orelse($x, $y))
macro:1023 x:stx:1024 ",*" : stx => `(stx| sepBy($x, ",", ", "))
macro:1023 x:stx:1024 ",+" : stx => `(stx| sepBy1($x, ",", ", "))
macro:1023 x:stx:1024 ",*,?" : stx => `(stx| sepBy($x, ",", ", ", allowTrailingSep))
macro:1023 x:stx:1024 ",+,?" : stx => `(stx| sepBy1($x, ",", ", ", allowTrailingSep))
end Lean

/-! ## Notation -/

infixr:35 " × " => Prod
infixl:65 " + " => HAdd.hAdd
infixl:65 " - " => HSub.hSub
infixl:70 " * " => HMul.hMul
infixl:70 " / " => HDiv.hDiv
infixl:70 " % " => HMod.hMod
infixr:75 " ^ " => HPow.hPow
infixl:65 " ++ " => HAppend.hAppend
infix:50 " ≤ " => LE.le
infix:50 " < " => LT.lt
infix:50 " ≥ " => GE.ge
infix:50 " > " => GT.gt
infix:50 " = " => Eq
infix:50 " ≠ " => Ne
infix:50 " ≍ " => HEq
infix:50 " == " => BEq.beq
infixr:35 " ∧ " => And
infixr:30 " ∨ " => Or
infix:20 " ↔ " => Iff
infixl:35 " && " => and
infixl:30 " || " => or
infixr:67 " :: " => List.cons
infixr:90 " ∘ " => Function.comp
macro_rules | `($x + $y) => `(binop% HAdd.hAdd $x $y)
macro_rules | `($x - $y) => `(binop% HSub.hSub $x $y)
macro_rules | `($x * $y) => `(binop% HMul.hMul $x $y)
macro_rules | `($x / $y) => `(binop% HDiv.hDiv $x $y)
macro_rules | `($x % $y) => `(binop% HMod.hMod $x $y)
macro_rules | `($x ^ $y) => `(rightact% HPow.hPow $x $y)
macro_rules | `($x ++ $y) => `(binop% HAppend.hAppend $x $y)
macro_rules | `($x ≤ $y) => `(binrel% LE.le $x $y)
macro_rules | `($x < $y) => `(binrel% LT.lt $x $y)
macro_rules | `($x ≥ $y) => `(binrel% GE.ge $x $y)
macro_rules | `($x > $y) => `(binrel% GT.gt $x $y)
macro_rules | `($x = $y) => `(binrel% Eq $x $y)
macro_rules | `($x ≠ $y) => `(binrel% Ne $x $y)
macro_rules | `($x == $y) => `(binrel_no_prop% BEq.beq $x $y)
notation:max "¬" p:40 => Not p
notation:max "!" b:40 => not b

syntax Lean.binderIdent := ident <|> hole
syntax (name := termIfThenElse) "if " term " then " term " else " term : term
syntax (name := termDepIfThenElse) "if " ident " : " term " then " term " else " term : term
macro_rules
  | `(if $c then $t else $e) => `(ite $c $t $e)
macro_rules
  | `(if $h:ident : $c then $t else $e) => `(dite $c (fun $h => $t) (fun $h => $e))

namespace Lean
syntax unbracketedExplicitBinders := (ppSpace binderIdent)+ (" : " term)?
syntax bracketedExplicitBinders := "(" withoutPosition((binderIdent ppSpace)+ ": " term) ")"
syntax explicitBinders := (ppSpace bracketedExplicitBinders)+ <|> unbracketedExplicitBinders
instance {α : Type} : Inhabited (MacroM α) := ⟨throwUnsupported⟩
@[extern "lean_binders"] opaque expandExplicitBinders (combinator : Name) (binders body : Syntax) : MacroM Term
syntax calcFirstStep := ppIndent(colGe term (" := " term)?)
syntax calcStep := ppIndent(colGe term " := " term)
syntax calcSteps := ppLine withPosition(calcFirstStep) withPosition((calcStep ppLine)*)
syntax (name := calc) "calc" calcSteps : term
syntax (name := calcTactic) "calc" calcSteps : tactic
end Lean
macro "∃" xs:Lean.explicitBinders ", " b:term : term => Lean.expandExplicitBinders `Exists xs b
macro:35 "Σ" xs:Lean.explicitBinders ", " b:term : term => Lean.expandExplicitBinders `Sigma xs b

namespace Lean.Parser.Tactic
syntax (name := intro) "intro" notFollowedBy("|") (ppSpace colGt term:max)* : tactic
syntax (name := intros) "intros" (ppSpace colGt (ident <|> hole))* : tactic
syntax (name := exact) "exact " term : tactic
syntax (name := refine) "refine " term : tactic
syntax (name := refine') "refine' " term : tactic
syntax (name := apply) "apply " term : tactic
syntax (name := constructor) "constructor" : tactic
syntax (name := left) "left" : tactic
syntax (name := right) "right" : tactic
syntax (name := assumption) "assumption" : tactic
syntax (name := contradiction) "contradiction" : tactic
syntax (name := skip) "skip" : tactic
syntax (name := done) "done" : tactic
syntax (name := fail) "fail" (ppSpace str)? : tactic
syntax (name := eqRefl) "eq_refl" : tactic
syntax (name := revert) "revert" (ppSpace colGt term:max)+ : tactic
syntax (name := clear) "clear" (ppSpace colGt term:max)+ : tactic
syntax (name := subst) "subst" (ppSpace colGt term:max)+ : tactic
syntax (name := allGoals) "all_goals " tacticSeq : tactic
syntax (name := anyGoals) "any_goals " tacticSeq : tactic
syntax (name := focus) "focus " tacticSeq : tactic
syntax (name := first) "first " withPosition((ppDedent(ppLine) colGe "| " tacticSeq)+) : tactic
syntax (name := «show») "show " term : tactic
syntax (name := rename) "rename " term " => " ident : tactic
syntax (name := renameI) "rename_i" (ppSpace colGt (ident <|> hole))+ : tactic
syntax (name := specialize) "specialize " term : tactic
syntax (name := injection) "injection " term (" with" (ppSpace colGt (ident <|> hole))+)? : tactic
syntax locationWildcard := " *"
syntax locationType := patternIgnore(atomic("|" noWs "-") <|> "⊢")
syntax locationHyp := (ppSpace colGt (term:max <|> locationType))+
syntax location := withPosition(ppGroup(" at" (locationWildcard <|> locationHyp)))
syntax negConfigItem := "-" noWs ident
syntax posConfigItem := "+" noWs ident
syntax valConfigItem := atomic("(" notFollowedBy(&"discharger" <|> &"disch") ident " := ") withoutPosition(term) ")"
syntax configItem := ppSpace (posConfigItem <|> negConfigItem <|> valConfigItem)
syntax optConfig := (colGt configItem)*
syntax (name := change) "change " term (location)? : tactic
syntax (name := unfold) "unfold" (ppSpace colGt ident)+ (location)? : tactic
structure DecideConfig where
  kernel : Bool := false
  native : Bool := false
  zetaReduce : Bool := true
  revert : Bool := false
syntax (name := decide) "decide" optConfig : tactic
syntax (name := nativeDecide) "native_decide" optConfig : tactic
syntax rwRule := patternIgnore("← " <|> "<- ")? term
syntax rwRuleSeq := " [" withoutPosition(rwRule,*,?) "]"
syntax (name := rewriteSeq) "rewrite" optConfig rwRuleSeq (location)? : tactic
syntax discharger := atomic(" (" patternIgnore(&"discharger" <|> &"disch")) " := " withoutPosition(tacticSeq) ")"
syntax simpPre := "↓"
syntax simpPost := "↑"
syntax simpLemma := (simpPre <|> simpPost)? patternIgnore("← " <|> "<- ")? term
syntax simpErase := "-" term:max
syntax simpStar := "*"
syntax (name := simp) "simp" optConfig (discharger)? (&" only")?
    (" [" withoutPosition((simpStar <|> simpErase <|> simpLemma),*,?) "]")? (location)? : tactic
syntax caseArg := binderIdent (ppSpace (ident <|> hole))*
syntax (name := case') "case' " sepBy1(caseArg, " | ") " => " tacticSeq : tactic
syntax (name := case) "case " sepBy1(caseArg, " | ") " => " tacticSeq : tactic
syntax inductionAltLHS := ppDedent(ppLine) withPosition("| " (("@"? ident) <|> hole) (colGt (ident <|> hole))*)
syntax inductionAlt := inductionAltLHS+ (" => " (hole <|> syntheticHole <|> tacticSeq))?
syntax inductionAlts := " with" (ppSpace colGt tactic)? withPosition((colGe inductionAlt)*)
syntax elimTarget := atomic(binderIdent " : ")? term
syntax (name := induction) "induction " elimTarget,+ (" using " term)? (" generalizing" (ppSpace colGt term:max)+)?
    (inductionAlts)? : tactic
syntax (name := cases) "cases " elimTarget,+ (" using " ident)? (inductionAlts)? : tactic
syntax generalizeArg := atomic(ident " : ")? term:51 " = " ident
syntax (name := generalize) "generalize " generalizeArg,+ (location)? : tactic
syntax (name := omega) "omega" optConfig : tactic
syntax (name := paren) "(" withoutPosition(tacticSeq) ")" : tactic
syntax (name := withReducible) "with_reducible " tacticSeq : tactic
syntax (name := traceState) "trace_state" : tactic
syntax (name := sleep) "sleep " num : tactic
syntax (name := repeat') "repeat' " tacticSeq : tactic
syntax (name := applyRfl) "apply_rfl" : tactic
syntax "rfl" : tactic
macro_rules | `(tactic| rfl) => `(tactic| eq_refl)
macro "sorry" : tactic => `(tactic| exact sorry)
macro "admit" : tactic => `(tactic| exact sorry)
macro "trivial" : tactic => `(tactic| first | assumption | exact True.intro | eq_refl | contradiction)
macro "exfalso" : tactic => `(tactic| refine False.elim ?_)
macro "try " t:tacticSeq : tactic => `(tactic| first | $t | skip)
macro:1 x:tactic " <;> " y:tactic:2 : tactic => `(tactic| focus ($x; all_goals $y:tactic))
macro "rw " s:rwRuleSeq l:(location)? : tactic => `(tactic| (rewrite $s:rwRuleSeq $(l)?; try (with_reducible rfl)))
macro "have " d:letDecl : tactic => `(tactic| refine have $d:letDecl; ?_)
macro "let " d:letDecl : tactic => `(tactic| refine let $d:letDecl; ?_)
macro "exists " e:term : tactic => `(tactic| (refine ⟨$e, ?_⟩; try eq_refl))
syntax "repeat " tacticSeq : tactic
macro_rules | `(tactic| repeat $t) => `(tactic| try (($t); repeat $t))
end Lean.Parser.Tactic


/-! ## A little theory -/

theorem trivial : True := True.intro
theorem eq_true {p : Prop} (h : p) : p = True := propext ⟨fun _ => trivial, fun _ => h⟩
theorem eq_false {p : Prop} (h : ¬ p) : p = False := propext ⟨h, False.elim⟩
theorem of_eq_true {p : Prop} (h : p = True) : p := h ▸ trivial
theorem of_eq_false {p : Prop} (h : p = False) : ¬ p := fun hp => h ▸ hp
theorem not_of_eq_false {p : Prop} (h : p = False) : ¬ p := of_eq_false h
@[simp] theorem eq_self {α : Sort u} (a : α) : (a = a) = True := eq_true rfl
theorem implies_congr {p₁ p₂ : Sort u} {q₁ q₂ : Sort v} (h₁ : p₁ = p₂) (h₂ : q₁ = q₂) : (p₁ → q₁) = (p₂ → q₂) :=
  h₁ ▸ h₂ ▸ rfl
theorem forall_congr {α : Sort u} {p q : α → Prop} (h : ∀ a, p a = q a) : (∀ a, p a) = (∀ a, q a) :=
  (funext h : p = q) ▸ rfl
@[simp] theorem and_true (p : Prop) : (p ∧ True) = p := propext ⟨fun h => h.left, fun h => ⟨h, trivial⟩⟩
@[simp] theorem true_and (p : Prop) : (True ∧ p) = p := propext ⟨fun h => h.right, fun h => ⟨trivial, h⟩⟩
@[simp] theorem and_self (p : Prop) : (p ∧ p) = p := propext ⟨fun h => h.left, fun h => ⟨h, h⟩⟩
@[simp] theorem or_self (p : Prop) : (p ∨ p) = p := propext ⟨fun h => h.elim id id, .inl⟩
@[simp] theorem or_true (p : Prop) : (p ∨ True) = True := eq_true (.inr trivial)
@[simp] theorem true_or (p : Prop) : (True ∨ p) = True := eq_true (.inl trivial)

namespace Nat
@[simp] theorem add_zero (n : Nat) : n + 0 = n := rfl
theorem add_succ (n m : Nat) : n + succ m = succ (n + m) := rfl
theorem succ_eq_add_one (n : Nat) : succ n = n + 1 := rfl
@[simp] theorem zero_add : (n : Nat) → 0 + n = n
  | 0 => rfl
  | n + 1 => congrArg succ (zero_add n)
theorem succ_add (n : Nat) : (m : Nat) → succ n + m = succ (n + m)
  | 0 => rfl
  | m + 1 => congrArg succ (succ_add n m)
protected theorem add_comm (n : Nat) : (m : Nat) → n + m = m + n
  | 0 => (zero_add n).symm
  | m + 1 => (congrArg succ (Nat.add_comm n m)).trans (succ_add m n).symm
protected theorem add_assoc (n m : Nat) : (k : Nat) → n + m + k = n + (m + k)
  | 0 => rfl
  | k + 1 => congrArg succ (Nat.add_assoc n m k)
theorem succ_inj {n m : Nat} (h : succ n = succ m) : n = m := Nat.noConfusion h id
theorem zero_ne_succ (n : Nat) : 0 ≠ succ n := fun h => Nat.noConfusion h
@[simp] protected theorem mul_zero (n : Nat) : n * 0 = 0 := rfl
theorem mul_succ (n m : Nat) : n * succ m = n * m + n := rfl
@[simp] protected theorem zero_mul : (n : Nat) → 0 * n = 0
  | 0 => rfl
  | n + 1 => Nat.zero_mul n
protected theorem le_refl (n : Nat) : n ≤ n := Nat.le.refl
theorem le_succ (n : Nat) : n ≤ succ n := Nat.le.step Nat.le.refl
theorem zero_le (n : Nat) : 0 ≤ n := n.rec Nat.le.refl fun _ h => Nat.le.step h
protected theorem le_trans {n m k : Nat} (h : n ≤ m) (g : m ≤ k) : n ≤ k := Nat.le.rec h (fun _ ih => Nat.le.step ih) g
theorem succ_le_succ {n m : Nat} (h : n ≤ m) : succ n ≤ succ m := Nat.le.rec Nat.le.refl (fun _ ih => Nat.le.step ih) h
theorem le_of_succ_le_succ {n m : Nat} (h : succ n ≤ succ m) : n ≤ m :=
  Nat.le_of_ble n m (show Nat.ble (succ n) (succ m) = true from Nat.ble_of_le h)
theorem not_succ_le_zero (n : Nat) (h : succ n ≤ 0) : False := true_ne_false (Nat.ble_of_le h).symm
end Nat

namespace List
@[simp] def length {α : Type u} : List α → Nat
  | nil => 0
  | cons _ as => length as + 1
protected def append {α : Type u} : List α → List α → List α
  | nil, bs => bs
  | cons a as, bs => cons a (List.append as bs)
def map {α : Type u} {β : Type v} (f : α → β) : List α → List β
  | nil => nil
  | cons a as => cons (f a) (map f as)
instance {α : Type u} : Append (List α) := ⟨List.append⟩
end List
syntax (name := listLiteral) "[" term,* "]" : term
macro_rules
  | `([]) => `(List.nil)
  | `([$a]) => `(List.cons $a List.nil)
macro_rules
  | `([$a, $b]) => `(List.cons $a [$b])
  | `([$a, $b, $c]) => `(List.cons $a [$b, $c])
  | `([$a, $b, $c, $d]) => `(List.cons $a [$b, $c, $d])

class Trans.{a, b, c, i, j, k} {α : Sort i} {β : Sort j} {γ : Sort k} (r : α → β → Sort a) (s : β → γ → Sort b)
    (t : outParam (α → γ → Sort c)) where
  trans {a : α} {b : β} {c : γ} : r a b → s b c → t a c
instance {α : Sort u} {γ : Sort v} (r : α → γ → Sort w) : Trans (Eq (α := α)) r r := ⟨fun h g => h.symm ▸ g⟩
instance {α : Sort u} {β : Sort v} (r : α → β → Sort w) : Trans r (Eq (α := β)) r := ⟨fun h g => g ▸ h⟩
instance : Trans (α := Nat) LE.le LE.le LE.le := ⟨Nat.le_trans⟩

structure Equivalence {α : Sort u} (r : α → α → Prop) : Prop where
  refl : ∀ x, r x x
  symm : ∀ {x y}, r x y → r y x
  trans : ∀ {x y z}, r x y → r y z → r x z
class Setoid (α : Sort u) where
  r : α → α → Prop
  iseqv : Equivalence r
def Quotient {α : Sort u} (s : Setoid α) : Sort u := Quot s.r
namespace Quotient
protected def mk {α : Sort u} (s : Setoid α) (a : α) : Quotient s := Quot.mk s.r a
theorem sound {α : Sort u} {s : Setoid α} {a b : α} (h : s.r a b) : Quotient.mk s a = Quotient.mk s b := Quot.sound h
protected abbrev lift {α : Sort u} {β : Sort v} {s : Setoid α} (f : α → β) (h : ∀ a b, s.r a b → f a = f b) :
    Quotient s → β := Quot.lift f h
protected theorem ind {α : Sort u} {s : Setoid α} {p : Quotient s → Prop} (h : ∀ a, p (Quotient.mk s a))
    (q : Quotient s) :
    p q := Quot.ind h q
end Quotient

/-! ### Recursion over relations without endless descents -/

inductive Acc {α : Sort u} (r : α → α → Prop) : α → Prop where
  | intro (x : α) (h : (y : α) → r y x → Acc r y) : Acc r x
theorem Acc.inv {α : Sort u} {r : α → α → Prop} {x y : α} (h : Acc r x) (s : r y x) : Acc r y :=
  h.rec (motive := fun x _ => r y x → Acc r y) (fun _ g _ s => g y s) s
inductive WellFounded {α : Sort u} (r : α → α → Prop) : Prop where
  | intro (h : ∀ a, Acc r a) : WellFounded r
theorem WellFounded.apply {α : Sort u} {r : α → α → Prop} (wf : WellFounded r) (a : α) : Acc r a :=
  wf.rec (fun h => h a)
class WellFoundedRelation (α : Sort u) where
  rel : α → α → Prop
  wf : WellFounded rel
theorem Nat.lt_acc : (n : Nat) → Acc (fun a b : Nat => a < b) n :=
  fun n => n.rec
    ⟨0, fun y h => (Nat.not_succ_le_zero y h).elim⟩
    (fun n ih => ⟨Nat.succ n, fun y h =>
      have le : y ≤ n := Nat.le_of_succ_le_succ h
      Nat.le.rec (motive := fun m _ => Acc (fun a b : Nat => a < b) m → Acc (fun a b : Nat => a < b) y) id
        (fun _ k a => k (a.inv (Nat.le.refl))) le ih⟩)
noncomputable def WellFounded.fixF {α : Sort u} {r : α → α → Prop} {C : α → Sort v}
    (F : (x : α) → ((y : α) → r y x → C y) → C x) (x : α) (a : Acc r x) : C x :=
  a.rec (fun x _ ih => F x ih)
theorem WellFounded.fixF_eq {α : Sort u} {r : α → α → Prop} {C : α → Sort v}
    (F : (x : α) → ((y : α) → r y x → C y) → C x) (x : α) (a : Acc r x) :
    WellFounded.fixF F x a = F x (fun y h => WellFounded.fixF F y (a.inv h)) :=
  a.rec (fun _ _ _ => rfl)
noncomputable def WellFounded.fix {α : Sort u} {C : α → Sort v} {r : α → α → Prop} (wf : WellFounded r)
    (F : (x : α) → ((y : α) → r y x → C y) → C x) (x : α) : C x := WellFounded.fixF F x (wf.apply x)
theorem WellFounded.fix_eq {α : Sort u} {C : α → Sort v} {r : α → α → Prop} (wf : WellFounded r)
    (F : (x : α) → ((y : α) → r y x → C y) → C x) (x : α) :
    WellFounded.fix wf F x = F x (fun y _ => WellFounded.fix wf F y) := WellFounded.fixF_eq F x (wf.apply x)
def InvImage {α : Sort u} {β : Sort v} (r : β → β → Prop) (f : α → β) : α → α → Prop := fun a b => r (f a) (f b)
theorem InvImage.acc {α : Sort u} {β : Sort v} {r : β → β → Prop} (f : α → β) {b : β} (a : Acc r b) :
    ∀ x, f x = b → Acc (InvImage r f) x :=
  a.rec fun _ _ ih x e => ⟨x, fun y h => ih (f y) (e ▸ h) y rfl⟩
theorem InvImage.wf {α : Sort u} {β : Sort v} {r : β → β → Prop} (f : α → β) (h : WellFounded r) :
    WellFounded (InvImage r f) := ⟨fun a => InvImage.acc f (h.apply (f a)) a rfl⟩
@[reducible] def invImage {α : Sort u} {β : Sort v} (f : α → β) (h : WellFoundedRelation β) : WellFoundedRelation α :=
  ⟨InvImage h.rel f, InvImage.wf f h.wf⟩
instance Nat.lt_wfRel : WellFoundedRelation Nat := ⟨fun a b => a < b, ⟨Nat.lt_acc⟩⟩
instance (priority := 100) sizeOfWFRel {α : Sort u} [SizeOf α] : WellFoundedRelation α := invImage sizeOf Nat.lt_wfRel
noncomputable def WellFounded.Nat.fix {α : Sort u} {motive : α → Sort v} (h : α → Nat)
    (F : (x : α) → ((y : α) → InvImage (fun a b => a < b) h y x → motive y) → motive x) : (x : α) → motive x :=
  WellFounded.fix (InvImage.wf h ⟨Nat.lt_acc⟩) F
theorem WellFounded.Nat.fix_eq {α : Sort u} {motive : α → Sort v} (h : α → Nat)
    (F : (x : α) → ((y : α) → InvImage (fun a b => a < b) h y x → motive y) → motive x) (x : α) :
    WellFounded.Nat.fix h F x = F x (fun y _ => WellFounded.Nat.fix h F y) :=
  WellFounded.fix_eq (InvImage.wf h ⟨Nat.lt_acc⟩) F x
theorem Nat.lt_succ_self (n : Nat) : n < n + 1 := Nat.le.refl
macro "clean_wf" : tactic => `(tactic| skip)
macro "decreasing_tactic" : tactic => `(tactic| first | assumption | exact Nat.lt_succ_self _)

/-! ## Classical logic -/

namespace Classical
theorem choose_of {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : Nonempty (Subtype p) := h.elim fun a pa => ⟨⟨a, pa⟩⟩
noncomputable def choose {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : α := (choice (choose_of h)).val
theorem choose_spec {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : p (choose h) := (choice (choose_of h)).property
theorem em (p : Prop) : p ∨ ¬ p :=
  let U (x : Prop) : Prop := x = True ∨ p
  let V (x : Prop) : Prop := x = False ∨ p
  have hu : ∃ x, U x := ⟨True, .inl rfl⟩
  have hv : ∃ x, V x := ⟨False, .inl rfl⟩
  have apart : choose hu ≠ choose hv ∨ p :=
    (choose_spec hu).elim
      (fun u => (choose_spec hv).elim
        (fun v => .inl (fun e => of_eq_true (v.symm.trans (e.symm.trans u))))
        .inr)
      .inr
  have same (hp : p) : choose hu = choose hv :=
    have e : U = V := funext fun x => propext ⟨fun _ => .inr hp, fun _ => .inr hp⟩
    have g : ∀ k l, @choose Prop U k = @choose Prop V l := e ▸ fun _ _ => rfl
    g hu hv
  apart.elim (fun n => .inr fun hp => n (same hp)) .inl
theorem byContradiction {p : Prop} (h : ¬ p → False) : p := (em p).elim id (fun n => (h n).elim)
noncomputable def propDecidable (a : Prop) : Decidable a :=
  choice ((em a).elim (fun h => ⟨isTrue h⟩) (fun h => ⟨isFalse h⟩))
end Classical
