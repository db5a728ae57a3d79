#pragma once

namespace shop {

struct Vat {
    static constexpr long percent = 19;

    static long add(long cents)
    {
        return cents + cents * percent / 100;
    }
};

}  // namespace shop
