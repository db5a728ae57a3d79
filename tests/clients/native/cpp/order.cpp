// The C++ half of cpp-crash: a template, a virtual call, inlined calls and exceptions, so that
// g++ -O2 moves the handlers into `order_total.cold`. Lines that the tests expect are marked `frame:`.

#include "tax.hpp"

#include <memory>
#include <stdexcept>
#include <vector>

namespace shop {

using Report = void (*)(long);

class Rule {
public:
    virtual ~Rule() = default;
    virtual long apply(const std::vector<long>& items, Report report) const = 0;
};

__attribute__((always_inline)) static inline long announce(long total, Report report)
{
    if (total % 2 == 0)
        report(total);  // frame: announce
    return total + 1;
}

template <class Tax>
class TaxRule final : public Rule {
public:
    explicit TaxRule(long bound) : bound_(bound) {}

    __attribute__((noinline)) long apply(const std::vector<long>& items, Report report) const override
    {
        long sum = 0;
        for (long item : items) {
            if (item > bound_)
                throw std::out_of_range("item beyond the bound");
            sum += Tax::add(item);
        }
        return announce(sum * 2, report) + bound_;  // frame: apply
    }

private:
    long bound_;
};

}  // namespace shop

extern "C" __attribute__((noinline)) long order_total(long count, shop::Report report)
{
    std::vector<long> items;
    for (long item = 0; item < count; ++item)
        items.push_back(item);
    std::unique_ptr<shop::Rule> rule = std::make_unique<shop::TaxRule<shop::Vat>>(5);
    try {
        return rule->apply(items, report) - 1;  // frame: order_total
    } catch (const std::out_of_range&) {
        return shop::announce(count * 2, report) - 1;  // frame: order_total cold
    }
}
