// A loop over the tokens with every index a constant, so that what is indexed stays in registers.
#if TOKENS == 1
#define EACH_TOKEN(what) what(0u)
#elif TOKENS == 4
#define EACH_TOKEN(what) what(0u) what(1u) what(2u) what(3u)
#elif TOKENS == 8
#define EACH_TOKEN(what) what(0u) what(1u) what(2u) what(3u) what(4u) what(5u) what(6u) what(7u)
#endif
